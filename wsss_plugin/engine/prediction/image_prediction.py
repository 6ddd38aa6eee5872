"""The class of each pixel of an image, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class ImagePrediction(NamedTuple):
    """The class of each pixel of an image, and how sure it is.

    Attributes:
        label: Label map (H, W), uint8.
        score: Probability (H, W) of the label in [0, 1], float16.
    """

    label: np.ndarray
    score: np.ndarray

    def summary(self, classes: Sequence[str]) -> dict[str, Any]:
        """What is in the image, as values for JSON.

        Args:
            classes: Names of the classes, background first.

        Returns:
            ``size``, width and height; ``classes``: for each one present, the background too, its
            ``share`` of the pixels and the ``mean_score`` of these pixels.

        >>> label, score = np.array([[0, 2]], np.uint8), np.array([[0.5, 0.75]], np.float16)
        >>> ImagePrediction(label, score).summary(['none', 'cat', 'dog'])['classes']['dog']
        {'share': 0.5, 'mean_score': 0.75}
        """
        pixels = np.zeros(len(classes), dtype=np.int64)
        sums = np.zeros(len(classes))
        for label, score in zip(self.label, self.score, strict=True):
            # A row at a time: bincount takes numbers of 64 bits.
            pixels += np.bincount(label, minlength=len(classes))
            sums += np.bincount(label, weights=score, minlength=len(classes))
        height, width = self.label.shape
        found = {
            classes[value]: {
                'share': round(int(pixels[value]) / self.label.size, 6),
                'mean_score': round(float(sums[value] / pixels[value]), 6),
            }
            for value in pixels.nonzero()[0].tolist()
        }
        return {'size': [width, height], 'classes': found}
