from __future__ import annotations

import copy
import pickle
import random

import numpy as np
import pytest
import torch

from wsss_plugin.datasets.seeded_index import SeededIndex, random_state


def _draw():
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_is_an_integer_that_keeps_its_seed():
    index = SeededIndex(7, seed=11)
    assert index == 7
    assert [0, 1, 2, 3, 4, 5, 6, 'here'][index] == 'here'
    for same in (pickle.loads(pickle.dumps(index)), copy.deepcopy(index)):
        assert (same, same.seed) == (7, 11)
    assert ((index % 4), (index % 4).seed) == (3, 11)
    assert ((index - 5), (index - 5).seed) == (2, 11)


@pytest.mark.parametrize('seed', [-1, 2**32])
def test_seed_out_of_range(seed):
    with pytest.raises(ValueError, match='seed: expected'):
        SeededIndex(0, seed)


def test_random_state_is_seeded_and_restored():
    expected_after = None
    with random_state(1):
        first = _draw()
        with random_state(2):
            inner = _draw()
        expected_after = _draw()
    with random_state(1):
        assert _draw() == first
        assert _draw() == expected_after
    assert first != inner


def test_random_state_is_restored_after_an_error():
    with random_state(3):
        expected = _draw()

    def fail():
        with random_state(4):
            _draw()
            raise RuntimeError

    with random_state(3):
        with pytest.raises(RuntimeError):
            fail()
        assert _draw() == expected
