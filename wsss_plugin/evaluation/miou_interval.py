"""How sure an mIoU of few images is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wsss_plugin.evaluation.paired_difference import miou_of, resampled_miou


@dataclass(frozen=True)
class MIoUInterval:
    """An mIoU in percent and where resampled images put it.

    Attributes:
        miou: mIoU of all images.
        low: Lower end of the interval.
        high: Upper end.
        images: Number of images.
        level: Share of the resamples inside the interval.
    """

    miou: float
    low: float
    high: float
    images: int
    level: float


def miou_interval(
    counts: np.ndarray, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> MIoUInterval:
    """Bootstrap over images of an mIoU (Efron's percentile interval).

    The interval says how much the images matter, not the seed of a training.

    Args:
        counts: Pixels (N, 3, C) of each image: intersection, predicted, labelled.
        resamples: Number of draws.
        seed: Seed of the draws.
        level: Share of the draws inside the interval, in (0, 1).

    Returns:
        The mIoU over the classes that occur, and the interval.

    Raises:
        ValueError: If there is no image or an argument is out of range.

    >>> found = miou_interval(np.array([[[8], [10], [10]], [[8], [10], [10]]]))
    >>> round(found.miou, 2), round(found.low, 2), round(found.high, 2)
    (66.67, 66.67, 66.67)
    """
    if counts.ndim != 3 or counts.shape[1] != 3 or not len(counts):
        raise ValueError(f'expected counts (N, 3, C) of images, received {counts.shape}')
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(
            'expected at least one resample and a level in (0, 1), received '
            f'resamples={resamples} and level={level}'
        )
    drawn = resampled_miou(counts[None], resamples, seed)[:, 0]
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(drawn, [tail, 100 - tail])
    return MIoUInterval(
        float(miou_of(counts.sum(axis=0))), float(low), float(high), len(counts), level
    )
