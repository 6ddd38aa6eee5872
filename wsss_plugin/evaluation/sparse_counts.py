"""Pixel counts per class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from mmseg.evaluation import IoUMetric
from torch import Tensor

# The routine counts in float32, which holds every whole number up to this one.
_EXACT = 2**24


@dataclass(frozen=True)
class SparseCounts:
    """Counts of one image, for the classes that occur in it.

    Args:
        classes: Class indices (n,).
        counts: Pixels (T, 3, n) for T predictions: intersection, predicted, labelled.
    """

    classes: np.ndarray
    counts: np.ndarray


def count_classes(
    predictions: list[Tensor], label: Tensor, num_classes: int, ignore_index: int = 255
) -> SparseCounts:
    """Counts the pixels of each class by MMSegmentation's own routine.

    Args:
        predictions: T label maps (H, W).
        label: True label map (H, W).
        num_classes: Number of classes, background included.
        ignore_index: Value of ``label`` that is not counted.

    Returns:
        The counts of the classes that occur.
    """
    if torch.are_deterministic_algorithms_enabled():
        # The routine's histogram has no deterministic kernel on a GPU.
        label = label.cpu()
    rows = [
        _count(prediction.to(label), label, num_classes, ignore_index) for prediction in predictions
    ]
    counts = np.stack(rows).astype(np.int32)
    classes = np.flatnonzero(counts.any(axis=(0, 1)))
    return SparseCounts(classes.astype(np.int32), counts[..., classes])


def count_where_labelled(
    label: Tensor, truth: Tensor, num_classes: int, ignore_index: int = 255
) -> SparseCounts:
    """Counts the pixels of each class where a pseudo label has one.

    Args:
        label: Pseudo label (H, W), ``ignore_index`` where there is none.
        truth: True label map (H, W).
        num_classes: Number of classes, background included.
        ignore_index: Value that is not counted, in both.

    Returns:
        The counts of the classes that occur.

    Raises:
        ValueError: If the sizes differ.
    """
    if label.shape != truth.shape:
        raise ValueError(
            'expected pseudo label and mask of one size, received '
            f'{tuple(label.shape)} and {tuple(truth.shape)}; resize the mask to the label'
        )
    labelled = label != ignore_index
    visible = torch.where(labelled, truth, ignore_index)
    return count_classes([torch.where(labelled, label, 0)], visible, num_classes, ignore_index)


def _count(prediction: Tensor, label: Tensor, num_classes: int, ignore_index: int) -> np.ndarray:
    counts = np.zeros((3, num_classes), dtype=np.int64)
    parts = zip(prediction.flatten().split(_EXACT), label.flatten().split(_EXACT), strict=True)
    for part, true in parts:
        intersect, _, predicted, labelled = IoUMetric.intersect_and_union(
            part, true, num_classes, ignore_index
        )
        counts += np.stack([intersect, predicted, labelled]).astype(np.int64)
    return counts


def sum_counts(parts: list[SparseCounts], num_classes: int) -> np.ndarray:
    """Sums the counts of images.

    Args:
        parts: Counts of each image, at least one, with the same number T of predictions.
        num_classes: Number of classes C.

    Returns:
        Pixels (T, 3, C), int64.
    """
    total = np.zeros((*parts[0].counts.shape[:2], num_classes), dtype=np.int64)
    for part in parts:
        total[..., part.classes] += part.counts
    return total
