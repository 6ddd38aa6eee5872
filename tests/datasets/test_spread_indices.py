import itertools

import pytest

from wsss_plugin.datasets import spread_indices


@pytest.mark.parametrize(('length', 'num'), [(1, 1), (5, 1), (5, 5), (5, 9), (445, 6)])
def test_ends_are_included_and_nothing_twice(length, num):
    indices = spread_indices(length, num)
    assert len(indices) == len(set(indices)) == min(length, num)
    assert indices[0] == 0
    if len(indices) > 1:
        assert indices[-1] == length - 1


def test_steps_are_even():
    indices = spread_indices(100, 7)
    steps = {after - before for before, after in itertools.pairwise(indices)}
    assert max(steps) - min(steps) <= 1
