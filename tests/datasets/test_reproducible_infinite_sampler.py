from __future__ import annotations

import itertools

import pytest

from wsss_plugin.datasets import reproducible_infinite_sampler as module
from wsss_plugin.datasets.reproducible_infinite_sampler import ReproducibleInfiniteSampler


def _take(count, size=5, **kwargs):
    sampler = ReproducibleInfiniteSampler([0] * size, **kwargs)
    return [(int(index), index.seed) for index in itertools.islice(sampler, count)]


def test_each_pass_is_a_permutation_with_new_seeds():
    stream = _take(15, seed=0)
    for start in (0, 5, 10):
        assert sorted(index for index, _ in stream[start : start + 5]) == list(range(5))
    assert len({seed for _, seed in stream}) == 15
    assert _take(15, seed=0) == stream
    assert _take(15, seed=1) != stream


def test_in_order():
    assert [index for index, _ in _take(7, seed=0, shuffle=False)] == [0, 1, 2, 3, 4, 0, 1]


@pytest.mark.parametrize('world', [2, 3])
def test_ranks_share_one_stream(monkeypatch, world):
    single = _take(12, seed=4)
    slices = []
    for rank in range(world):
        monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, world))
        slices.append(_take(12 // world, seed=4))
    assert [item for together in zip(*slices, strict=True) for item in together] == single


def test_iterating_again_restarts_the_stream():
    sampler = ReproducibleInfiniteSampler([0] * 4, seed=0)
    first = [index.seed for index in itertools.islice(sampler, 6)]
    assert [index.seed for index in itertools.islice(sampler, 6)] == first
    assert len(sampler) == 4


@pytest.mark.parametrize('world', [1, 2])
def test_skipping_leaves_out_the_beginning_of_every_rank(monkeypatch, world):
    for rank in range(world):
        monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, world))
        whole = _take(20, seed=4)
        sampler = ReproducibleInfiniteSampler([0] * 5, seed=4)
        # The number counts from the beginning of the stream, not from where it was before.
        for skipped in (13, 7):
            sampler.skip(skipped)
            rest = [(int(i), i.seed) for i in itertools.islice(sampler, 20 - skipped)]
            assert rest == whole[skipped:]


def test_errors():
    with pytest.raises(ValueError, match='empty data set'):
        ReproducibleInfiniteSampler([])
    with pytest.raises(ValueError, match='seed: expected'):
        ReproducibleInfiniteSampler([0], seed=-1)
    with pytest.raises(ValueError, match='num_samples: expected'):
        ReproducibleInfiniteSampler([0], seed=0).skip(-1)
