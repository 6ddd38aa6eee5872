"""How good pseudo labels are, and how much they label."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from wsss_plugin.evaluation.class_rates import class_rates, percent
from wsss_plugin.evaluation.sparse_counts import (
    SparseCounts,
    count_where_labelled,
    sum_counts,
)

_MEANS = ('mIoU', 'over_activation', 'false_negative')


class LabelScores:
    """Compares pseudo labels with true masks, image by image.

    A pseudo label ignores pixels, so its mIoU alone says little: it is counted where there is a
    label, beside the fraction of the pixels that have one.

    Args:
        num_classes: Number of classes, background included.
        ignore_index: Value of pixels without a label, in both kinds of map.

    >>> scores = LabelScores(num_classes=2)
    >>> scores.add(torch.tensor([[0, 1, 255]]), torch.tensor([[0, 1, 1]]))
    >>> scores.summary()['labelled']
    66.67
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._counts: list[SparseCounts] = []
        self._pixels = torch.zeros(6, dtype=torch.long)

    def add(self, label: Tensor, truth: Tensor) -> None:
        """Counts an image.

        Args:
            label: Pseudo label (H, W).
            truth: True mask (H, W).

        Raises:
            ValueError: If the sizes differ.
        """
        self._counts.append(count_where_labelled(label, truth, self.num_classes, self.ignore_index))
        known, labelled = truth != self.ignore_index, label != self.ignore_index
        foreground, background = known & (truth > 0), known & (truth == 0)
        self._pixels += torch.stack(
            [
                foreground.sum(),
                (foreground & (label == truth)).sum(),
                (foreground & (label == 0)).sum(),
                background.sum(),
                (background & labelled & (label > 0)).sum(),
                (known & labelled).sum(),
            ]
        ).cpu()

    def summary(self) -> dict[str, float]:
        """Scores in percent; NaN where nothing can be counted.

        Returns:
            ``mIoU`` where there is a label, and there ``over_activation`` and ``false_negative``,
            means over the foreground classes; ``labelled``, the share of all pixels with a label;
            ``foreground_right`` and ``foreground_as_background``, shares of the foreground; and
            ``background_as_foreground``, share of the background.
        """
        foreground, right, missed, background, wrong, labelled = self._pixels.tolist()
        counts = sum_counts(self._counts, self.num_classes)[0] if self._counts else None
        means = {} if counts is None else class_rates(counts).means()
        return {
            **{name: means.get(name, float('nan')) for name in _MEANS},
            'labelled': _share(labelled, foreground + background),
            'foreground_right': _share(right, foreground),
            'foreground_as_background': _share(missed, foreground),
            'background_as_foreground': _share(wrong, background),
        }


def _share(part: int, whole: int) -> float:
    return percent(np.divide(part, whole)) if whole else float('nan')
