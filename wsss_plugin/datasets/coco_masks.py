"""Label maps from COCO's instances."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

# pycocotools takes memory along the edges of a polygon, also where they are far outside.
_FARTHEST = 1e6


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
        encoded = encode_shape(item['segmentation'], height, width)
        label = labels[item['category_id']]
        if item.get('iscrowd', 0) and crowd_label >= 0:
            label = crowd_label
        mask[coco_mask.decode(encoded) > 0] = label
    return mask


def encode_shape(shape: Any, height: int, width: int) -> dict[str, Any]:
    """Encodes a segmentation as compressed run lengths.

    Args:
        shape (Any): What an annotation has under ``segmentation``; :func:`is_drawable`.
        height (int): Height of the image in pixels.
        width (int): Width of the image in pixels.

    Returns:
        dict: ``size`` and ``counts``, as functions of pycocotools take them.
    """
    if isinstance(shape, list):
        return coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
    if isinstance(shape['counts'], list):
        return coco_mask.frPyObjects(shape, height, width)
    return shape


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
        counts = shape.get('counts')
        runs = _runs(counts) if isinstance(counts, str) else _numbers(counts)
        return _fill(runs, height * width)
    return isinstance(shape, list) and bool(shape) and all(map(_is_polygon, shape))


def _is_polygon(points: Any) -> bool:
    numbers = _numbers(points)
    # pycocotools would take four numbers for a box.
    return numbers.size >= 6 and numbers.size % 2 == 0 and bool((abs(numbers) < _FARTHEST).all())


def _fill(counts: np.ndarray, pixels: int) -> bool:
    whole = (counts >= 0).all() and (counts == np.floor(counts)).all()
    return bool(whole and counts.size and counts.sum() == pixels)


def _runs(text: str) -> np.ndarray:
    """Run lengths of COCO's compressed text, of which pycocotools would fill up a short one.

    Every letter is 48 + 5 bits + 32 if more bits follow; from the fourth number on they are
    differences to the last but one.
    """
    # At most 7 letters for a number, of which the last has no further bits.
    if not re.fullmatch('(?:[P-o]{0,6}[0-O])*', text):
        return np.empty(0)
    numbers: list[int] = []
    for letters in re.findall('[P-o]*[0-O]', text):
        bits = [ord(letter) - 48 for letter in letters]
        number = sum((five & 31) << (5 * place) for place, five in enumerate(bits))
        if bits[-1] & 16:
            number -= 1 << (5 * len(bits))
        numbers.append(number + (numbers[-2] if len(numbers) > 2 else 0))
    return np.asarray(numbers, np.float64)


def _numbers(values: Any) -> np.ndarray:
    # Texts and truth values would become numbers.
    if not isinstance(values, list) or any(type(value) not in (int, float) for value in values):
        return np.empty(0)
    try:
        numbers = np.asarray(values, np.float64)
    except OverflowError:
        return np.empty(0)
    return numbers if numbers.ndim == 1 and np.isfinite(numbers).all() else np.empty(0)
