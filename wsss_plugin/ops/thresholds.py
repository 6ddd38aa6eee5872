"""Schedules of background thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def cosine_threshold(iteration: float, total: float, start: float, end: float) -> float:
    """High background threshold during training (dual-branch paper, equation 8).

    ``th(t) = th(0) - (th(0) - th(T)) (1 - cos(pi t / T)) / 2``; constant before 0 and after T.

    Args:
        iteration: Current iteration t.
        total: Iterations T until the end value.
        start: Threshold th(0).
        end: Threshold th(T).

    Returns:
        The threshold.

    Raises:
        ValueError: If ``total`` is not positive.

    >>> [round(cosine_threshold(t, 20000, 0.7, 0.55), 3) for t in (0, 10000, 20000)]
    [0.7, 0.625, 0.55]
    """
    if total <= 0:
        raise ValueError(f'expected a positive number of iterations, received {total}')
    progress = min(max(iteration / total, 0.0), 1.0)
    return start - 0.5 * (start - end) * (1 - math.cos(math.pi * progress))


def class_thresholds(
    iteration: float, total: float, start: float | Sequence[float], end: float | Sequence[float]
) -> Tensor:
    """High background thresholds of classes that descend to targets of their own (DuPL).

    Args:
        iteration: Current iteration t.
        total: Iterations T until the end values.
        start: Threshold th(0), one for all classes or one each.
        end: Threshold th(T), one for all classes or one each.

    Returns:
        Thresholds of shape (K,), float32; (1,) where both are single numbers.

    Raises:
        ValueError: If ``total`` is not positive or the numbers of classes differ.

    >>> class_thresholds(50, 100, 0.7, (0.7, 0.5))
    tensor([0.7000, 0.6000])
    """
    starts, ends = (list(v) if isinstance(v, Sequence) else [float(v)] for v in (start, end))
    count = max(len(starts), len(ends))
    if {len(starts), len(ends)} - {1, count}:
        raise ValueError(
            'expected one threshold for all classes, or one for each, at start and end, received '
            f'{len(starts)} and {len(ends)}'
        )
    pairs = zip(starts * (count // len(starts)), ends * (count // len(ends)), strict=True)
    return torch.tensor([cosine_threshold(iteration, total, *pair) for pair in pairs])


def image_threshold(high: Tensor, tags: Tensor) -> Tensor:
    """The high background threshold of images, the largest of their tagged classes (DuPL).

    Args:
        high: Thresholds of the classes, (K,).
        tags: Multi-hot tags of shape (B, K).

    Returns:
        Thresholds of shape (B,); an image without tags has the largest of all classes.

    Raises:
        ValueError: If the numbers of classes differ.

    >>> high = torch.tensor([0.7, 0.55, 0.6])
    >>> image_threshold(high, torch.tensor([[0, 1, 0], [0, 1, 1], [0, 0, 0]]))
    tensor([0.5500, 0.6000, 0.7000])
    """
    if high.shape != tags.shape[1:]:
        raise ValueError(
            'expected one threshold for each class of the tags (B, K), received '
            f'{tuple(high.shape)} and {tuple(tags.shape)}'
        )
    absent = (tags <= 0) & (tags > 0).any(dim=1, keepdim=True)
    return high.to(tags.device).expand(tags.shape).masked_fill(absent, -torch.inf).amax(dim=1)
