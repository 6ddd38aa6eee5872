"""Rates that follow from pixel counts per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassRates:
    """Rates in [0, 1] per class (C,); NaN where a rate is undefined.

    Args:
        iou: TP / (TP + FP + FN).
        accuracy: TP / (TP + FN).
        over_activation: FP / (TP + FP), the dual-branch paper's section 2.2.
        false_negative: FN / (TP + FN).
        pixel_accuracy: TP over all labelled pixels, of all classes together.
        boundary_iou: IoU of the pixels near the contours, None where it is not asked for.
    """

    iou: np.ndarray
    accuracy: np.ndarray
    over_activation: np.ndarray
    false_negative: np.ndarray
    pixel_accuracy: float
    boundary_iou: np.ndarray | None = None

    def means(self) -> dict[str, float]:
        """Means in percent over the classes where a rate is defined.

        Returns:
            ``mIoU`` and ``mAcc`` over all classes, ``aAcc`` over pixels, ``over_activation`` and
            ``false_negative`` over the foreground classes; ``boundary_mIoU`` over all classes where
            the boundary IoU was asked for.
        """
        means = {
            'mIoU': percent_mean(self.iou),
            'mAcc': percent_mean(self.accuracy),
            'aAcc': percent(self.pixel_accuracy),
            'over_activation': percent_mean(self.over_activation[1:]),
            'false_negative': percent_mean(self.false_negative[1:]),
        }
        if self.boundary_iou is not None:
            means['boundary_mIoU'] = percent_mean(self.boundary_iou)
        return means


def percent(rate: float) -> float:
    """A rate in [0, 1] as a percentage with two digits.

    Args:
        rate: The rate, or NaN.

    Returns:
        The percentage, or NaN.

    >>> percent(0.123456)
    12.35
    """
    return round(float(rate) * 100, 2)


def percent_mean(rates: np.ndarray) -> float:
    """The mean of the rates that are no NaN, as a percentage.

    Args:
        rates: Rates (C,).

    Returns:
        The percentage, NaN if there is no rate.

    >>> percent_mean(np.array([0.5, np.nan, 0.25]))
    37.5
    """
    defined = rates[~np.isnan(rates)]
    return percent(defined.mean()) if len(defined) else float('nan')


def class_rates(counts: np.ndarray, boundary: np.ndarray | None = None) -> ClassRates:
    """Rates of counts.

    Args:
        counts: Pixels (3, C): intersection, predicted, labelled.
        boundary: The same of the pixels near the contours.

    Returns:
        The rates.

    >>> class_rates(np.array([[6, 2], [8, 2], [6, 4]])).iou
    array([0.75, 0.5 ])
    """
    hit, predicted, labelled = counts.astype(np.float64)
    with np.errstate(divide='ignore', invalid='ignore'):
        return ClassRates(
            iou=_iou(counts),
            accuracy=hit / labelled,
            over_activation=(predicted - hit) / predicted,
            false_negative=(labelled - hit) / labelled,
            pixel_accuracy=float(hit.sum() / labelled.sum()),
            boundary_iou=None if boundary is None else _iou(boundary),
        )


def _iou(counts: np.ndarray) -> np.ndarray:
    hit, predicted, labelled = counts.astype(np.float64)
    return hit / (predicted + labelled - hit)
