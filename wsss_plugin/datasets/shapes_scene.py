"""One generated scene, drawn in full precision before it is written as image and mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ShapesScene:
    """Holds everything that is known about a generated image.

    Args:
        image (np.ndarray): uint8 (H, W, 3), RGB.
        mask (np.ndarray): uint8 (H, W), 0 background, class k as k + 1.
        instances (np.ndarray): uint8 (H, W), 0 background, objects from 1 in drawing order.
        parts (np.ndarray): bool (H, W), True on the visible class-specific parts.
        labels (tuple[int, ...]): Class of every object, in drawing order.
        groups (tuple[str, ...]): Failure modes of the image, sorted, or ``('plain',)``.
        background (str): Family of the background's texture.
    """

    image: np.ndarray
    mask: np.ndarray
    instances: np.ndarray
    parts: np.ndarray
    labels: tuple[int, ...]
    groups: tuple[str, ...]
    background: str

    def part_ratios(self) -> list[float]:
        """Returns visible part area over visible object area of every object."""
        objects = [self.instances == index + 1 for index in range(len(self.labels))]
        return [float((self.parts & area).sum() / max(area.sum(), 1)) for area in objects]

    def boxes(self) -> list[tuple[int, int, int, int]]:
        """Returns (xmin, ymin, xmax, ymax) of every object's visible area, end-inclusive."""
        boxes = []
        for index in range(len(self.labels)):
            rows, cols = np.nonzero(self.instances == index + 1)
            boxes.append((int(cols.min()), int(rows.min()), int(cols.max()), int(rows.max())))
        return boxes
