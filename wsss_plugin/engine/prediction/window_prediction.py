"""Predictions of large images, by windows that overlap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from wsss_plugin.engine.prediction.image_prediction import ImagePrediction
from wsss_plugin.models.windowed_cams import check_window, window_starts


def predict_by_windows(
    image: np.ndarray, window: int, stride: int, probabilities: Callable[[np.ndarray], Tensor]
) -> ImagePrediction:
    """Predicts an image of which only windows are seen at a time.

    Probabilities are averaged where windows overlap. They are kept for one row of windows only:
    once the next row begins, the pixels above it have their class. Beside the image this takes
    ``4 C S W`` bytes for C classes, windows of side S and an image of width W, and 3 bytes a pixel
    for the result: of 5,472 × 3,648 pixels, 21 classes and S = 512 that are 235 MB and 60 MB,
    where the probabilities of the whole image would take 1.7 GB. What the network takes for a
    window comes to it.

    Args:
        image: Image (H, W, 3).
        window: Side of a window in pixels.
        stride: Distance between windows in pixels.
        probabilities: Gives probabilities (C, h, w) of a part (h, w, 3) of the image.

    Returns:
        The prediction (H, W).

    Raises:
        ConfigError: If the stride does not fit the window.
    """
    check_window(window, stride)
    height, width = image.shape[:2]
    label = np.empty((height, width), dtype=np.uint8)
    score = np.empty((height, width), dtype=np.float16)
    rows, columns = (window_starts(side, window, stride) for side in (height, width))
    band: _Band | None = None
    for row, following in zip(rows, [*rows[1:], height], strict=True):
        for column in columns:
            found = probabilities(image[row : row + window, column : column + window])
            if band is None:
                band = _Band(len(found), min(window, height), width)
            band.add(found, column)
        if band is not None:
            label[row:following], score[row:following] = band.take(following - row)
    return ImagePrediction(label, score)


class _Band:
    """Sums of the probabilities of one row of windows.

    Args:
        classes: Number of classes.
        height: Of a window.
        width: Of the image.
    """

    def __init__(self, classes: int, height: int, width: int) -> None:
        self._sums = torch.zeros(classes, height, width)
        self._counts = torch.zeros(height, width)

    def add(self, probabilities: Tensor, column: int) -> None:
        """Adds a window that begins at a column."""
        columns = slice(column, column + probabilities.shape[-1])
        self._sums[..., columns] += probabilities
        self._counts[:, columns] += 1

    def take(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Class and score of the uppermost rows, which move out of the band."""
        best, label = self._sums[:, :rows].max(dim=0)
        score = (best / self._counts[:rows]).half()
        kept = len(self._counts) - rows
        for plane in (*self._sums, self._counts):
            plane[:kept] = plane[rows:].clone()
            plane[kept:] = 0
        return label.to(torch.uint8).numpy(), score.numpy()
