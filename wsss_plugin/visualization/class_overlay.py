"""An image under the classes of its pixels, with their names."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from wsss_plugin.errors import cut
from wsss_plugin.visualization.contact_sheet import contact_sheet
from wsss_plugin.visualization.legend import draw_legend
from wsss_plugin.visualization.panel import Palette

_ROWS = 256  # coloured at a time, so that memory does not grow with the image
_DOTS_PER_INCH = 100
_NARROWEST = 160  # a legend under a narrower image is wider than it
_LINE, _PATCH, _LETTER = 24, 50, 8  # pixels of a legend at one dot per pixel
_USUAL_WIDTH = 1000
_LONGEST_NAME = 60


def class_overlay(
    image: np.ndarray,
    label: np.ndarray,
    classes: Sequence[str],
    palette: Palette,
    opacity: float = 0.55,
) -> np.ndarray:
    """Colours the foreground of an image and writes the names of its classes below.

    The background stays as it is. Letters grow with images wider than 1000 pixels.

    Args:
        image: RGB image (H, W, 3), uint8.
        label: Label map (H, W), 0 for the background.
        classes: Names of the C classes, background first.
        palette: Colours (C, 3), 0 to 255.
        opacity: Weight of the colours in [0, 1].

    Returns:
        RGB picture, uint8: the image, then the legend if a class is present.

    Raises:
        ValueError: If sizes differ or a label has no class.

    >>> image = np.zeros((4, 200, 3), np.uint8)
    >>> class_overlay(image, np.zeros((4, 200), int), ['none', 'cat'], [[0] * 3, [9] * 3]).shape
    (4, 200, 3)
    """
    if image.shape[:2] != label.shape:
        raise ValueError(
            f'expected a label map at the size of the image {image.shape[:2]}, received '
            f'{label.shape}; predict at the original size'
        )
    present = [int(value) for value in np.unique(label)]
    if present and present[-1] >= len(classes):
        raise ValueError(
            f'expected labels below {len(classes)}, the number of classes, received {present[-1]}; '
            'give the classes of the model'
        )
    picture = image.copy()
    colours = np.asarray(palette, dtype=np.float32)
    for row in range(0, len(picture), _ROWS):
        part, values = picture[row : row + _ROWS], label[row : row + _ROWS]
        shown = values > 0
        blended = (1 - opacity) * part[shown] + opacity * colours[values[shown]]
        part[shown] = blended.round().clip(0, 255).astype(np.uint8)
    entries = [(classes[value], palette[value]) for value in present if value]
    return contact_sheet([picture, _legend(entries, image.shape[1])], 0) if entries else picture


def _legend(entries: Sequence[tuple[str, Sequence[int]]], width: int) -> np.ndarray:
    width = max(width, _NARROWEST)
    scale = max(1.0, width / _USUAL_WIDTH)
    longest = max(len(cut(name, _LONGEST_NAME)) for name, _ in entries)
    columns = max(1, int(width / scale / (_PATCH + _LETTER * longest)))
    lines = math.ceil(len(entries) / columns)
    dots = _DOTS_PER_INCH * scale
    figure = Figure(figsize=(width / dots, (lines * _LINE + 4) / _DOTS_PER_INCH), dpi=dots)
    draw_legend(figure, entries, columns)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
