"""Where a view of a training sample lies in the sample's first view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ViewGeometry:
    """A view is a rectangle of view 1, perhaps mirrored, at some size.

    Boxes are (row0, row1, col0, col1), end-exclusive: coordinates are those of the pixels' edges.

    Args:
        box: What the view shows, in pixels of view 1; it may reach beyond view 1.
        flip: Whether the view is mirrored left to right against view 1.
        frame: Height and width of view 1 in pixels.
        size: Height and width of the view in pixels.
        valid: The image without padding, in whole pixels of the view.

    >>> view1 = ViewGeometry.of_frame((448, 448), valid=(0, 448, 0, 300))
    >>> strong = view1.part((0, 448, 0, 448), flip=True, size=(336, 336))
    >>> strong.flip, strong.scale, strong.valid
    (True, (0.75, 0.75), (0, 336, 111, 336))
    """

    box: Box
    flip: bool
    frame: tuple[int, int]
    size: tuple[int, int]
    valid: tuple[int, int, int, int]

    @classmethod
    def of_frame(cls, frame: tuple[int, int], valid: Sequence[int] | None = None) -> ViewGeometry:
        """The geometry of view 1 itself.

        Args:
            frame: Its height and width in pixels.
            valid: The image without padding in it; all of it if None.

        Returns:
            The geometry.
        """
        whole = (0, frame[0], 0, frame[1])
        row0, row1, col0, col1 = whole if valid is None else (int(edge) for edge in valid)
        return cls(whole, False, frame, frame, (row0, row1, col0, col1))

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the view for one of view 1, by height and by width."""
        row0, row1, col0, col1 = self.box
        return self.size[0] / (row1 - row0), self.size[1] / (col1 - col0)

    def part(self, box: Sequence[float], flip: bool, size: tuple[int, int]) -> ViewGeometry:
        """The geometry of a view of this view.

        Args:
            box: What the new view shows, in pixels of this view.
            flip: Whether it is mirrored against this view.
            size: Its height and width in pixels.

        Returns:
            The new view's geometry, again relative to view 1.
        """
        row0, row1, col0, col1 = box
        if self.flip:
            col0, col1 = self.size[1] - col1, self.size[1] - col0
        (down, across), (top, _, left, _) = self.scale, self.box
        shown = (top + row0 / down, top + row1 / down, left + col0 / across, left + col1 / across)
        rows = _inside(self.valid[:2], box[:2], size[0], False)
        cols = _inside(self.valid[2:], box[2:], size[1], flip)
        return ViewGeometry(shown, self.flip != flip, self.frame, size, (*rows, *cols))


def _inside(
    valid: Sequence[int], part: Sequence[float], length: int, flip: bool
) -> tuple[int, int]:
    """The whole pixels of a resized part of an axis that lie inside ``valid``."""
    scale = length / (part[1] - part[0])
    start, stop = ((edge - part[0]) * scale for edge in valid)
    if flip:
        start, stop = length - stop, length - start
    # Rounding errors may not cost a pixel.
    first, last = math.ceil(start - 1e-6), math.floor(stop + 1e-6)
    first = min(max(first, 0), length)
    return first, max(min(last, length), first)
