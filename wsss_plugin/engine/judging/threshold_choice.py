"""Low and high thresholds that few masks choose, and how good the choice is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wsss_plugin.errors import DataError
from wsss_plugin.evaluation.class_rates import percent
from wsss_plugin.evaluation.paired_difference import miou_of


@dataclass(frozen=True)
class ThresholdChoice:
    """The thresholds that masks choose.

    Attributes:
        low: Low threshold, by all masks.
        high: High threshold, by all masks.
        miou: mIoU in percent where labelled, of each fold at the thresholds that the others chose;
            None where nothing is labelled.
        labelled: Share of the pixels in percent that have a label there.
        folds: Number of folds.
        images: Number of masks.
    """

    low: float
    high: float
    miou: float | None
    labelled: float
    folds: int
    images: int


def choose_thresholds(
    pairs: Sequence[tuple[float, float]],
    counts: np.ndarray,
    totals: np.ndarray,
    folds: int = 5,
    seed: int = 0,
) -> ThresholdChoice:
    """Chooses a pair of thresholds by cross-validation.

    A label that is right counts 1, one that is wrong -1 and an undecided pixel 0, as mean over the
    pixels of each class and then over the classes. So a pixel is worth a label where it is right
    more often than not (Chow, On Optimum Recognition Error and Reject Tradeoff, 1970).

    Args:
        pairs: The T pairs of low and high threshold.
        counts: Pixels (T, N, 3, C) of each image where it is labelled: right, labelled as the class
            and truly of it.
        totals: Pixels (N, C) of each class by the masks.
        folds: Number of folds; as many as images where these are fewer.
        seed: Seed of the folds.

    Returns:
        The pair that is best on all masks, with scores out of fold.

    Raises:
        DataError: If there are fewer than two images.
    """
    images = totals.shape[0]
    if images < 2:
        raise DataError(f'expected at least two masks to choose thresholds, received {images}')
    folds = min(folds, images)
    order = np.random.default_rng(seed).permutation(images)
    parts = np.array_split(order, folds)
    chosen = np.zeros(counts.shape[2:], dtype=np.int64)
    for part in parts:
        others = np.setdiff1d(order, part)
        chosen += counts[_best(counts[:, others], totals[others]), part].sum(axis=0)
    low, high = pairs[_best(counts, totals)]
    miou = round(float(miou_of(chosen)), 2) if chosen.any() else None
    labelled = percent(chosen[2].sum() / totals.sum())
    return ThresholdChoice(low, high, miou, labelled, folds, images)


def _best(counts: np.ndarray, totals: np.ndarray) -> int:
    right, truly = counts[:, :, 0].sum(axis=1), counts[:, :, 2].sum(axis=1)
    every = totals.sum(axis=0)
    present = every > 0
    gain = (2 * right - truly)[:, present] / every[present]
    return int(gain.mean(axis=1).argmax())
