from __future__ import annotations

import pytest

from wsss_plugin.datasets.name_list import chosen_names
from wsss_plugin.errors import DataError, MissingFileError

_KNOWN = ('a', 'garden/rex.1', 'b')


def test_names_with_and_without_suffix(tmp_path):
    (tmp_path / 'list.txt').write_text('garden/rex.1\na.jpg\n')
    assert chosen_names(tmp_path / 'list.txt', _KNOWN, 'labels') == ('garden/rex.1', 'a')


@pytest.mark.parametrize(('text', 'named'), [('a\nc.jpg\nd\n', 'c.jpg, d'), ('', 'none')])
def test_other_names(tmp_path, text, named):
    (tmp_path / 'list.txt').write_text(text)
    with pytest.raises(DataError, match=rf'list\.txt: .* images of labels, received {named};'):
        chosen_names(tmp_path / 'list.txt', _KNOWN, 'labels')


def test_no_list():
    with pytest.raises(MissingFileError, match='expected a list of names at nowhere'):
        chosen_names('nowhere', _KNOWN, 'labels')
