"""Passes through a network in training that leave no trace in its statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def fixed_statistics(module: nn.Module) -> Iterator[None]:
    """Keeps the running statistics of all batch norms of a module while the context lasts.

    In training they normalise by the batch as before. For passes over mirrored and resized copies
    of the images, which would count them several times.

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
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
