"""Passes through a network in training that leave no trace in its statistics and drop no path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mmcv.cnn.bricks import DropPath as ToolboxDropPath
from timm.layers import DropPath
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

_DROP_PATHS = (DropPath, ToolboxDropPath)


@contextmanager
def fixed_statistics(module: nn.Module) -> Iterator[None]:
    """Keeps running statistics of batch norms, and stochastic depth off, while the context lasts.

    In training the norms normalise by the batch as before. For passes over mirrored and resized
    copies of the images, which would count them several times, and from which a CAM is made.

    Args:
        module: The network.

    >>> import torch
    >>> norm = nn.BatchNorm2d(1)
    >>> with fixed_statistics(norm):
    ...     normalised = norm(torch.full((2, 1, 1, 1), 3.0))
    >>> norm.running_mean.item(), norm.num_batches_tracked.item()
    (0.0, 0)
    """
    tracking = [
        norm
        for norm in module.modules()
        if isinstance(norm, _BatchNorm) and norm.training and norm.track_running_stats
    ]
    dropping = [
        part for part in module.modules() if isinstance(part, _DROP_PATHS) and part.training
    ]
    for norm in tracking:
        norm.track_running_stats = False
    for part in dropping:
        part.training = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
        for part in dropping:
            part.training = True
