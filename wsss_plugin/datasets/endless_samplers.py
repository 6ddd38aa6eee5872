"""Samplers without end under loops that wait for one."""

from __future__ import annotations

from mmengine.dataset import InfiniteSampler
from mmengine.runner import BaseLoop, EpochBasedTrainLoop

from wsss_plugin.datasets.reproducible_infinite_sampler import ReproducibleInfiniteSampler
from wsss_plugin.errors import ConfigError

_ENDLESS = (InfiniteSampler, ReproducibleInfiniteSampler)


def require_end(loop: BaseLoop) -> None:
    """Checks that the epochs of a training end.

    Args:
        loop (BaseLoop): The loop with its loader.

    Raises:
        ConfigError: It counts epochs, and its sampler never ends.
    """
    if not isinstance(loop, EpochBasedTrainLoop):
        return
    loader = loop.dataloader
    for sampler in (loader.sampler, getattr(loader.batch_sampler, 'sampler', None)):
        if isinstance(sampler, _ENDLESS):
            raise ConfigError(
                'train_dataloader.sampler: expected one that ends under a training by epochs '
                f'({type(loop).__name__}), received {type(sampler).__name__}, whose first epoch '
                "would last for ever; set it to dict(type='DefaultSampler', shuffle=True), or "
                "train by iterations with train_cfg=dict(type='IterBasedTrainLoop', max_iters=...)"
            )
