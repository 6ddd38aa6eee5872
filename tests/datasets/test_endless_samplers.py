from __future__ import annotations

import pytest
from mmengine.dataset import InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import BatchSampler, DataLoader

from wsss_plugin.datasets.endless_samplers import require_end
from wsss_plugin.datasets.reproducible_infinite_sampler import ReproducibleInfiniteSampler
from wsss_plugin.errors import ConfigError


def _loop(kind, loader):
    loop = object.__new__(kind)
    loop.dataloader = loader
    return loop


@pytest.mark.parametrize('kind', [InfiniteSampler, ReproducibleInfiniteSampler])
@pytest.mark.parametrize('in_batches', [False, True])
def test_epochs_without_end_are_refused(kind, in_batches):
    sampler = kind([0, 1])
    loader = (
        DataLoader([0, 1], batch_sampler=BatchSampler(sampler, 2, False))
        if in_batches
        else DataLoader([0, 1], sampler=sampler)
    )
    with pytest.raises(
        ConfigError, match=rf'received {kind.__name__}, .*DefaultSampler.*max_iters'
    ):
        require_end(_loop(EpochBasedTrainLoop, loader))
    require_end(_loop(IterBasedTrainLoop, loader))


def test_samplers_that_end_are_accepted():
    require_end(_loop(EpochBasedTrainLoop, DataLoader([0, 1], shuffle=True)))
