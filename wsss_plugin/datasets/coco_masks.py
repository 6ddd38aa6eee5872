"""Label maps from COCO's instances."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask


def draw_mask(
    height: int,
    width: int,
    annotations: list[dict[str, Any]],
    labels: dict[int, int],
    crowd_label: int = -1,
) -> np.ndarray:
    """Draws instances into a label map, crowds first and then from large to small.

    Small objects come last because what overlaps them mostly contains them.

    Args:
        height (int): Height in pixels.
        width (int): Width in pixels.
        annotations (list[dict]): COCO annotations whose polygons or run lengths can be drawn.
        labels (dict[int, int]): Category id to label.
        crowd_label (int): Label of crowd regions, or -1 for that of their category.

    Returns:
        np.ndarray: uint8 (height, width), 0 background.
    """
    mask = np.zeros((height, width), np.uint8)
    order = sorted(annotations, key=lambda item: (not item.get('iscrowd', 0), -item['area']))
    for item in order:
        shape = item['segmentation']
        encoded = shape
        if isinstance(shape, list):
            encoded = coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
        elif isinstance(shape['counts'], list):
            encoded = coco_mask.frPyObjects(shape, height, width)
        label = labels[item['category_id']]
        if item.get('iscrowd', 0) and crowd_label >= 0:
            label = crowd_label
        mask[coco_mask.decode(encoded) > 0] = label
    return mask


def is_drawable(shape: Any, height: int, width: int) -> bool:
    """Whether a segmentation is polygons of three or more points, or run lengths of an image.

    Args:
        shape (Any): What an annotation has under ``segmentation``.
        height (int): Height of the image in pixels.
        width (int): Width of the image in pixels.

    Returns:
        bool: Whether :func:`draw_mask` can draw it.

    Example:
        >>> is_drawable([[0, 0, 4, 0, 4, 4]], 8, 8), is_drawable([[0, 0, 4, 4]], 8, 8)
        (True, False)
    """
    if isinstance(shape, dict) and shape.get('size') == [height, width]:
        # Compressed run lengths are a text.
        counts = shape.get('counts')
        return isinstance(counts, str) or _fill(_numbers(counts), height * width)
    return isinstance(shape, list) and bool(shape) and all(map(_is_polygon, shape))


def _is_polygon(points: Any) -> bool:
    size = _numbers(points).size
    # pycocotools would take four numbers for a box.
    return size >= 6 and size % 2 == 0


def _fill(counts: np.ndarray, pixels: int) -> bool:
    return bool((counts >= 0).all() and counts.sum() == pixels)


def _numbers(values: Any) -> np.ndarray:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if numbers.ndim == 1 and np.isfinite(numbers).all() else np.empty(0)
