from __future__ import annotations

import pytest

from wsss_plugin.datasets.sample_tags import tag_numbers
from wsss_plugin.errors import DataError

KNOWN = {'cat', 'dog', 'hand'}


def _numbers(*tags, required=False):
    sample = dict(name='a', tags=tags, source='t.csv')
    return tag_numbers(sample, ('dog', 'bird', 'cat'), KNOWN, required)


def test_numbers_are_sorted_and_once():
    assert _numbers('cat', 'dog', 'cat') == [0, 2]
    assert _numbers() == []


def test_what_is_known_and_not_chosen_is_background():
    assert _numbers('hand', 'dog') == [0]
    with pytest.raises(DataError, match=r't\.csv: expected at least one tag for image a, received'):
        _numbers('hand', required=True)


def test_an_unknown_tag():
    message = r"t\.csv: expected tags among the classes cat, dog, hand; received 'cow' for image a;"
    with pytest.raises(DataError, match=message):
        _numbers('dog', 'cow')
