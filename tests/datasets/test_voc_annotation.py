from __future__ import annotations

import pytest

from wsss_plugin.datasets.voc_annotation import read_objects
from wsss_plugin.errors import DataError, MissingFileError

_OBJECT = '<object><name> cat </name></object>'
_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">'
    + ''.join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + ']><annotation><object><name>&l9;</name></object></annotation>'
)


@pytest.fixture
def read(tmp_path):
    def run(content):
        (tmp_path / 'a.xml').write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        return read_objects(tmp_path / 'a.xml')

    return run


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16', 'iso-8859-1', 'windows-1252'])
def test_encodings_that_the_file_names(read, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><annotation>{_OBJECT}</annotation>'
    assert read(text.replace('cat', 'Kühe').encode(encoding)) == ['Kühe']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', 'save it as UTF-8'),
        ('<?xml version="1.0" encoding="utf-32"?><annotation/>', 'save it as UTF-8'),
        ('<?xml version="1.0" encoding="gbk"?><annotation/>', 'save it as UTF-8'),
        ('cat', 'damaged content'),
        ('', 'damaged content'),
        (b'\x89PNG\0\0', 'damaged content'),
        (f'<annotation>{_OBJECT}', 'damaged content'),
        (_LAUGHS, 'damaged content'),
        ('<html><body/></html>', 'received one of <html>'),
        ('<annotation><object/></annotation>', 'received none for object 1'),
        (f'<annotation>{_OBJECT}<object><name> </name></object></annotation>', 'for object 2'),
    ],
)
def test_what_is_no_annotation(read, content, message):
    with pytest.raises(DataError, match=rf'a\.xml: expected .*{message}'):
        read(content)


def test_deep_nesting_ends(read):
    depth = 200_000
    assert read('<annotation>' + '<a>' * depth + '</a>' * depth + _OBJECT + '</annotation>') == [
        'cat'
    ]


@pytest.mark.parametrize('name', ['b.xml', 'a.xml/b.xml'])
def test_no_file(read, tmp_path, name):
    read(f'<annotation>{_OBJECT}</annotation>')
    with pytest.raises(MissingFileError, match=r'b\.xml: expected the annotation'):
        read_objects(tmp_path / name)
