"""The views of a training sample in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from wsss_plugin.errors import cut

_CELL = 1.9  # inches
_ABOVE = 0.5
_DOTS_PER_INCH = 100
_LONGEST = 110


def view_panel(
    views: Mapping[str, np.ndarray],
    title: str,
    boxes: Mapping[str, Sequence[int]] | None = None,
) -> np.ndarray:
    """Draws views beside each other, each with its name and size, under one title.

    Names are drawn literally.

    Args:
        views: RGB pictures (H_i, W_i, 3), uint8, by name.
        title: Text above the row, such as the name of the image and its tags.
        boxes: Area of the image in a view, as (row0, row1, col0, col1) in pixels, end-exclusive,
            which is framed.

    Returns:
        RGB picture, uint8.

    Raises:
        ValueError: If there is no view.

    >>> view_panel({'view1': np.zeros((8, 8, 3), np.uint8)}, 'x$_$y.jpg: cat').shape
    (240, 190, 3)
    """
    if not views:
        raise ValueError('expected one view or more to draw, received none')
    height = _CELL + _ABOVE
    figure = Figure(figsize=(_CELL * len(views), height), dpi=_DOTS_PER_INCH)
    axes = figure.subplots(1, len(views), squeeze=False)[0]
    figure.subplots_adjust(0.01, 0.01, 0.99, 1 - _ABOVE / height, wspace=0.04)
    for axis, (name, picture) in zip(axes, views.items(), strict=True):
        rows, columns = picture.shape[:2]
        axis.imshow(picture)
        axis.set_axis_off()
        axis.set_title(f'{cut(name, 30)} {columns}x{rows}', fontsize=7, pad=2, parse_math=False)
        if boxes and name in boxes:
            top, bottom, left, right = boxes[name]
            # The middle of the first pixel is at 0.
            frame = Rectangle(
                (left - 0.5, top - 0.5),
                right - left,
                bottom - top,
                fill=False,
                edgecolor=(1.0, 0.85, 0.0),
                linewidth=2,
            )
            axis.add_patch(frame)
    figure.text(
        0.01, 0.995, cut(title, _LONGEST), fontsize=8, va='top', ha='left', parse_math=False
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
