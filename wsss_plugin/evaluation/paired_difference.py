"""How sure the difference of two mIoU on the same images is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CHUNK = 100  # resamples at a time


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two mIoU in percent and where resampled images put it.

    Attributes:
        first: mIoU of the first prediction.
        second: mIoU of the second prediction.
        low: Lower end of the interval of ``second - first``.
        high: Upper end.
        images: Number of images.
        level: Share of the resamples inside the interval.
    """

    first: float
    second: float
    low: float
    high: float
    images: int
    level: float

    @property
    def difference(self) -> float:
        """``second - first``."""
        return self.second - self.first

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def paired_difference(
    first: np.ndarray,
    second: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> PairedDifference:
    """Bootstrap over images of the difference of two mIoU (Efron's percentile interval).

    Images are drawn with replacement, the same for both predictions, and each draw gives two mIoU
    and their difference. Images that are hard for both thereby cancel. The interval says how much
    the images matter, not the seed of a training.

    Args:
        first: Pixels (N, 3, C) of each image: intersection, predicted, labelled.
        second: The same of another prediction.
        resamples: Number of draws.
        seed: Seed of the draws.
        level: Share of the draws inside the interval, in (0, 1).

    Returns:
        Both mIoU, over the classes that occur, and the interval.

    Raises:
        ValueError: If the shapes differ, there is no image or an argument is out of range.

    >>> hit = np.array([[[8], [10], [10]], [[9], [10], [10]]])
    >>> paired_difference(hit, hit).difference
    0.0
    """
    if first.shape != second.shape or first.ndim != 3 or first.shape[1] != 3 or not len(first):
        raise ValueError(
            'expected counts (N, 3, C) of the same images and classes for both predictions, '
            f'received {first.shape} and {second.shape}'
        )
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(
            'expected at least one resample and a level in (0, 1), received '
            f'resamples={resamples} and level={level}'
        )
    images = len(first)
    one, other = resampled_miou(np.stack([first, second]), resamples, seed).T
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(other - one, [tail, 100 - tail])
    one, other = miou_of(first.sum(axis=0)), miou_of(second.sum(axis=0))
    return PairedDifference(float(one), float(other), float(low), float(high), images, level)


def resampled_miou(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """mIoU of images that are drawn with replacement, the same for every prediction.

    Args:
        counts: Pixels (P, N, 3, C) of P predictions: intersection, predicted, labelled.
        resamples: Number of draws R.
        seed: Seed of the draws.

    Returns:
        mIoU in percent (R, P), NaN for a draw without any class.
    """
    images = counts.shape[1]
    every = counts.astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        weights = rng.multinomial(images, np.full(images, 1 / images), size=size)
        drawn.append(miou_of(np.einsum('rn,pnkc->rpkc', weights, every, optimize=True)))
    return np.concatenate(drawn)


def miou_of(counts: np.ndarray) -> np.ndarray:
    """mIoU in percent over the classes that are predicted or present.

    Args:
        counts: Pixels (..., 3, C): intersection, predicted, labelled.

    Returns:
        mIoU (...).
    """
    counts = counts.astype(np.float64)
    hit, predicted, labelled = np.moveaxis(counts, -2, 0)
    union = predicted + labelled - hit
    iou = np.divide(hit, union, out=np.full_like(hit, np.nan), where=union > 0)
    return 100 * np.nanmean(iou, axis=-1)
