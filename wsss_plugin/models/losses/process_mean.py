"""Counts that several processes share."""

from __future__ import annotations

from mmengine.dist import all_reduce
from torch import Tensor


def process_mean(count: Tensor) -> Tensor:
    """Mean of a count over all training processes.

    Gradients are averaged over processes. A sum divided by the mean count therefore averages to
    the value that one process would find on the whole batch, which a sum divided by its own
    process's count does not.

    Args:
        count: A count without gradient, any shape, floating point.

    Returns:
        The mean over processes; the count itself where there is one process.
    """
    mean = count.detach().clone()
    all_reduce(mean, op='mean')
    return mean
