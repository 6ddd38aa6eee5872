"""Outlines of masks along the edges of their pixels."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

# One step along an edge to the right, down, to the left and up, the mask on the right-hand side.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
# Where the edges above, right of, below and left of a pixel begin, seen from its upper left corner.
_BEGINS = ((0, 0), (1, 0), (1, 1), (0, 1))
Corners = list[tuple[int, int]]
Edges = dict[tuple[int, int, int], None]


def pixel_outlines(mask: np.ndarray) -> list[list[int]]:
    """Outlines a mask by polygons whose union is exactly its pixels, whoever fills them.

    Their corners are corners of pixels, where the upper left pixel reaches from 0 to 1. Pixels that
    touch at a corner only are in different polygons. A part with holes is cut at the upper end of
    each hole into parts without, since COCO's polygons have no holes.

    Args:
        mask (np.ndarray): Truth values (H, W).

    Returns:
        list[list[int]]: Polygons as COCO has them, ``[x0, y0, x1, y1, ...]``.

    Example:
        >>> pixel_outlines(np.array([[0, 1, 1], [0, 1, 1]]))
        [[3, 0, 3, 2, 1, 2, 1, 0]]
    """
    return [
        [int(number) for x, y in corners for number in (x + left, y + top)]
        for part, left, top in _connected(mask)
        for corners in _without_holes(part)
    ]


def _connected(mask: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
    """Parts whose pixels share edges, each in its box, with the box's left and upper end."""
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask, np.uint8), connectivity=4
    )
    for number in range(1, count):
        left, top, width, height = (int(value) for value in boxes[number, :4])
        yield parts[top : top + height, left : left + width] == number, left, top


def _without_holes(part: np.ndarray) -> list[Corners]:
    """Corners of a connected part, or of the pieces that it is cut into."""
    outer, *holes = _loops(part)
    if not holes:
        return [outer]
    # Every hole is open at the top of a piece then, and a cut makes no new one.
    cuts = sorted({0, *(min(y for _, y in hole) for hole in holes)})
    return [
        [(x + left, y + top + cut) for x, y in _loops(piece)[0]]
        for cut, end in zip(cuts, [*cuts[1:], len(part)], strict=True)
        for piece, left, top in _connected(part[cut:end])
    ]


def _loops(part: np.ndarray) -> list[Corners]:
    """Corners of all closed lines around a mask, the outer one of a connected mask first."""
    padded = np.pad(part, 1)
    around = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    edges: Edges = {}
    for direction, (beside, (dx, dy)) in enumerate(zip(around, _BEGINS, strict=True)):
        rows, columns = np.nonzero(part & ~beside)
        ends = zip((columns + dx).tolist(), (rows + dy).tolist(), strict=True)
        edges.update(dict.fromkeys((x, y, direction) for x, y in ends))
    loops = []
    # Every line has an edge above a pixel, and those come first, in the order of rows.
    for first in [edge for edge in edges if edge[2] == 0]:
        if first in edges:
            loops.append(_follow(edges, first))
    return loops


def _follow(edges: Edges, first: tuple[int, int, int]) -> Corners:
    """Corners of one closed line, whose edges are taken out."""
    corners, (x, y, direction) = [], first
    while (x, y, direction) in edges:
        del edges[x, y, direction]
        x, y = x + _STEPS[direction][0], y + _STEPS[direction][1]
        # To the right first: where pixels touch at a corner only, the line stays at its own.
        turns = [(direction + turn) % 4 for turn in (1, 0, 3)]
        after = next((turn for turn in turns if (x, y, turn) in edges), first[2])
        if after != direction:
            corners.append((x, y))
        direction = after
    return corners
