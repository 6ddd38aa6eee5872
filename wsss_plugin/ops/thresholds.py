"""Schedules of background thresholds."""

from __future__ import annotations

import math

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
