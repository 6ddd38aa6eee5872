"""Schedules of background thresholds."""

from __future__ import annotations

import math


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
