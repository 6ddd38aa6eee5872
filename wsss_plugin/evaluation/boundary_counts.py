"""Pixel counts of the contours of classes."""

from __future__ import annotations

import math

import cv2
import numpy as np

from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.sparse_counts import SparseCounts

_NEIGHBOURS = np.ones((3, 3), np.uint8)


def boundary_counts(
    prediction: np.ndarray, truth: np.ndarray, ignore_index: int = 255, distance: float = 0.02
) -> SparseCounts:
    r"""Counts the pixels that lie near the contour of their own class's mask.

    Boundary IoU of a class, Cheng et al., CVPR 2021, eq. (1), is
    :math:`|(G_d \cap G) \cap (P_d \cap P)| / |(G_d \cap G) \cup (P_d \cap P)|` for masks G of the
    truth and P of the prediction. :math:`G_d` are the pixels within d of the contour of G. As in
    the published code the distance is the larger one of those along x and y, and the edge of the
    image is contour of what it cuts.

    Ignored pixels are taken out of both masks before the contours are sought. So their rim is
    contour of both, as the edge of the image is, and a prediction that is right elsewhere has 1.

    Args:
        prediction: Label map (H, W).
        truth: True label map (H, W).
        ignore_index: Value of ``truth`` that is not counted.
        distance: d as a share of the image's diagonal, in (0, 1); at least one pixel.

    Returns:
        Counts (1, 3, n) of the n classes that occur: intersection, predicted, labelled.

    Raises:
        ConfigError: If the distance is out of range.
        ValueError: If the sizes differ.

    >>> truth = np.zeros((5, 5), int)
    >>> truth[1:4, 1:4] = 1
    >>> boundary_counts(truth * 0 + 1, truth).counts[0, :, 1]  # 16 and 8 pixels, none in common
    array([ 0, 16,  8], dtype=int32)
    """
    check_distance(distance)
    if prediction.shape != truth.shape:
        raise ValueError(
            f'expected prediction and mask of one size, received {prediction.shape} and '
            f'{truth.shape}; resize the prediction to the mask'
        )
    width = max(1, round(distance * math.hypot(*truth.shape)))
    known = truth != ignore_index
    classes = np.union1d(prediction[known], truth[known])
    counts = np.zeros((1, 3, len(classes)), np.int32)
    for index, value in enumerate(classes):
        predicted = _contour(known & (prediction == value), width)
        labelled = _contour(known & (truth == value), width)
        parts = (predicted & labelled, predicted, labelled)
        counts[0, :, index] = [np.count_nonzero(part) for part in parts]
    return SparseCounts(classes.astype(np.int32), counts)


def check_distance(distance: float) -> None:
    """Checks the distance of contours.

    Args:
        distance: Share of the image's diagonal.

    Raises:
        ConfigError: If it is outside (0, 1).
    """
    if not 0 < distance < 1:
        raise ConfigError(
            'boundary_distance: expected a share of the diagonal in (0, 1), received '
            f'{distance}; the published one is 0.02'
        )


def _contour(mask: np.ndarray, width: int) -> np.ndarray:
    inner = cv2.erode(
        mask.view(np.uint8),
        _NEIGHBOURS,
        iterations=width,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return mask & ~inner.view(bool)
