from __future__ import annotations

import pytest

from wsss_plugin.datasets.text_files import read_json, read_text


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_text_with_and_without_byte_order_mark(tmp_path, encoding):
    (tmp_path / 'a.txt').write_bytes('Kühe\r\n'.encode(encoding))
    assert read_text(str(tmp_path / 'a.txt')) == 'Kühe\n'


@pytest.mark.parametrize(
    ('text', 'encoding'), [('Kühe', 'cp1252'), ('cows', 'utf-16'), ('cows', 'utf-16-le')]
)
def test_other_encodings(tmp_path, text, encoding):
    (tmp_path / 'a.txt').write_bytes(text.encode(encoding))
    with pytest.raises(ValueError, match=r'a\.txt: expected text in UTF-8.*save the file again'):
        read_text(tmp_path / 'a.txt')


def test_json(tmp_path):
    (tmp_path / 'a.json').write_bytes('["Kühe"]'.encode('utf-8-sig'))
    assert read_json(tmp_path / 'a.json') == ['Kühe']
    (tmp_path / 'a.json').write_text('[')
    with pytest.raises(ValueError, match=r'a\.json: expected JSON, received .*correct the file'):
        read_json(tmp_path / 'a.json')
