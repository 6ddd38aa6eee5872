from __future__ import annotations

import pytest

from wsss_plugin.datasets.class_names import (
    is_background,
    require_one_spelling,
    require_plain,
    same_word,
)
from wsss_plugin.errors import DataError


def _where(*names):
    return {name: f'for image {number}' for number, name in enumerate(names)}


@pytest.mark.parametrize(
    'tag',
    ['cat,dog', 'cat|dog', "['cat']", '{cat}', '"cat"', "'cat'", 'cat; dog', '[cat'],
)
def test_several_names_in_one_tag(tag):
    with pytest.raises(DataError, match=r"t\.csv: .*for image 0, which looks like several.*';'"):
        require_plain('t.csv', _where(tag))


@pytest.mark.parametrize('tag', ['cat dog', 'dog/cat', 'cat & dog', 'cat + cat'])
def test_a_tag_made_of_other_tags(tag):
    with pytest.raises(DataError, match='for image 2, which consists of other tags'):
        require_plain('t.csv', _where('cat', 'dog', tag))


@pytest.mark.parametrize('tag', ['nan', 'NaN', 'None', 'N/A', '<NA>', 'null'])
def test_what_stands_for_an_empty_cell(tag):
    with pytest.raises(DataError, match='which stands for an empty cell; leave it empty'):
        require_plain('t.csv', _where('cat', tag))


@pytest.mark.parametrize('tag', ['0', '1.0', '-1', '1e3', ' 7'.strip()])
def test_numbers(tag):
    with pytest.raises(DataError, match='which is a number; write the name of the class'):
        require_plain('t.csv', _where(tag))


@pytest.mark.parametrize('tag', ['', 'a\nb', '\ud800', 'a\0'])
def test_what_is_no_name(tag):
    with pytest.raises(DataError, match='which is no name'):
        require_plain('t.csv', _where(tag))


def test_names_that_people_use():
    names = ('potted plant', 'plant', "driver's seat", 'C++', 'Kühe', '猫', 'tv/monitor', 'class 1')
    require_plain('t.csv', _where(*names, 'می‌خواهم'))


@pytest.mark.parametrize('other', ['Cat', 'CAT', ' cat', 'ｃａｔ'])
def test_spellings_of_one_name(other):
    with pytest.raises(DataError, match=r"'cat' for image 0 and '.*' for image 1; write both"):
        require_one_spelling('t.csv', _where('cat', other))


def test_words():
    assert same_word('hot-dog') == same_word('Hot_Dog') != same_word('hotdog')
    assert [is_background(n) for n in ('BACKGROUND', '__background__', 'backgrounds')] == [
        True,
        True,
        False,
    ]
