"""Colours that can be told apart."""

from __future__ import annotations

import functools

import cv2
import numpy as np

_STEPS = 12  # values of red, green and blue that are tried
_DARKEST, _LIGHTEST = 32.0, 92.0  # lightness in CIELAB
_GREYEST = 30.0  # distance from grey in CIELAB
_APART = ((0, 0, 0), (255, 255, 255), (128, 128, 128))  # background, outlines, ignored


def distinct_palette(number: int) -> list[list[int]]:
    """Colours of which each is as far as possible from those before it, in CIELAB.

    None is near black, white or grey. Some twenty are told apart at a glance; after 1254 they
    repeat.

    Args:
        number: How many.

    Returns:
        Colours (number, 3), 0 to 255; those of a smaller number are the first of a larger one.

    >>> distinct_palette(3)
    [[0, 0, 255], [0, 255, 0], [255, 0, 0]]
    """
    colours, order = _ordered()
    chosen = [order[index % len(order)] for index in range(number)]
    return [list(map(int, colours[index])) for index in chosen]


@functools.cache
def _ordered() -> tuple[np.ndarray, tuple[int, ...]]:
    values = np.linspace(0, 255, _STEPS).round()
    grid = np.stack(np.meshgrid(values, values, values, indexing='ij'), axis=-1).reshape(-1, 3)
    lab = _lab(grid)
    bright = (lab[:, 0] > _DARKEST) & (lab[:, 0] < _LIGHTEST)
    chosen = bright & (np.hypot(lab[:, 1], lab[:, 2]) > _GREYEST)
    grid, lab = grid[chosen], lab[chosen]
    apart = _lab(np.asarray(_APART, dtype=np.float64))
    nearest = np.linalg.norm(lab[:, None] - apart[None], axis=-1).min(axis=1)
    order = []
    for _ in range(len(grid)):
        order.append(int(nearest.argmax()))
        distance = np.linalg.norm(lab - lab[order[-1]], axis=-1)
        nearest = np.minimum(nearest, distance)
        # Taken: of equals at distance 0 it would come again.
        nearest[order[-1]] = -1
    return grid, tuple(order)


def _lab(colours: np.ndarray) -> np.ndarray:
    picture = (colours / 255).astype(np.float32)[None]
    return cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[0]
