"""Pairs of near pixels: which there are, and what belongs to both ends of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

BORDERS = ('complete', 'published')

Offset = tuple[int, int]
Box = tuple[int, int, int, int]


def pair_offsets(radius: int) -> tuple[Offset, ...]:
    """Offsets (row, column) from the first pixel of a pair to the second, in the published order.

    Every offset with ``row^2 + column^2 < radius^2`` whose second pixel comes later in the image,
    by rows, then columns (AffinityNet, equation 4). The place of an offset in this order is its
    place in the dimension P of every function on pairs.

    Args:
        radius: Radius in cells of the grid; pairs at exactly this distance do not count.

    Returns:
        The offsets; 34 for a radius of 5.

    Raises:
        ValueError: If the radius is no integer of at least 2.

    >>> pair_offsets(2)
    ((0, 1), (1, -1), (1, 0), (1, 1))
    """
    if radius != int(radius) or radius < 2:
        raise ValueError(
            f'expected a radius of whole cells, at least 2, received {radius}; the published one '
            'is 5, and pairs at exactly this distance do not count'
        )
    near = range(1 - int(radius), int(radius))
    return tuple(
        (row, column)
        for row in near
        for column in near
        if (row, column) > (0, 0) and row * row + column * column < radius * radius
    )


def check_pairs(size: Sequence[int], radius: int, border: str) -> None:
    """Checks that a grid has at least one pair.

    Args:
        size: Height and width of the grid.
        radius: Radius of the pairs in cells.
        border: ``'complete'`` or ``'published'``.

    Raises:
        ValueError: If the border is unknown, the radius is out of range or the grid is too small.
    """
    if border not in BORDERS:
        raise ValueError(f'expected border among {BORDERS}, received {border!r}')
    pair_offsets(radius)
    height, width = size
    if border == 'published':
        least = f'{radius}x{2 * radius - 1}'
        fits = height >= radius and width >= 2 * radius - 1
        remedy = "use border='complete', a smaller radius or a larger image"
    else:
        least, fits, remedy = '1x2', height * width > 1, 'use a larger image'
    if not fits:
        raise ValueError(
            f'expected a grid of at least {least} cells for pairs of radius {radius} with '
            f'border={border!r}, received {height}x{width}; {remedy}'
        )


def source_box(size: Sequence[int], offset: Offset, radius: int, border: str) -> Box:
    """Where the first pixels of an offset's pairs lie.

    Args:
        size: Height and width of the grid.
        offset: Row and column from the first pixel to the second.
        radius: Radius of the pairs in cells.
        border: ``'complete'``: every first pixel whose second lies in the image. ``'published'``:
            those from which every offset stays in the image.

    Returns:
        Rows and columns (row0, row1, column0, column1), end-exclusive.

    >>> source_box((12, 14), (1, -2), 5, 'complete'), source_box((12, 14), (1, -2), 5, 'published')
    ((0, 11, 2, 14), (0, 8, 4, 10))
    """
    height, width = size
    row, column = offset
    if border == 'published':
        return 0, height - radius + 1, radius - 1, width - radius + 1
    first = min(width, max(0, -column))
    return 0, max(0, height - row), first, max(first, width - max(0, column))


def shifted(values: Tensor, box: Box, shift: Offset) -> Tensor:
    """The values of a box that is moved by some rows and columns.

    Args:
        values: Values of shape (..., h, w).
        box: Rows and columns, end-exclusive.
        shift: By how many rows and columns to move it; it must stay on the grid.

    Returns:
        A view of shape (..., rows, columns).
    """
    row0, row1, column0, column1 = box
    row, column = shift
    return values[..., row0 + row : row1 + row, column0 + column : column1 + column]


def map_pairs(
    values: Tensor,
    radius: int,
    border: str,
    combine: Callable[[Box, Offset], Tensor],
    fill: float,
) -> Tensor:
    """What a function says of every pair, in the order of :func:`pair_offsets`.

    Args:
        values: Values on the grid, (..., h, w); only their grid counts.
        radius: Radius of the pairs in cells.
        border: ``'complete'``: a place for every pixel as a first one, S = h * w.
            ``'published'``: only pixels from which every offset stays in the image.
        combine: Given the box of first pixels and the offset to the second ones, returns
            (..., rows, columns) of that box.
        fill: What stands where the second pixel is outside of the image.

    Returns:
        One value for each pair, (..., P, S); S goes by rows.

    Raises:
        ValueError: If the grid is too small, the radius out of range or the border unknown.
    """
    size = values.shape[-2:]
    check_pairs(size, radius, border)
    pairs = []
    for offset in pair_offsets(radius):
        box = source_box(size, offset, radius, border)
        pairs.append(_on_sources(combine(box, offset), box, size, border, fill))
    return torch.stack(pairs, dim=-2)


def on_box(pairs: Tensor, box: Box, size: Sequence[int], border: str) -> Tensor:
    """One offset's values of :func:`map_pairs` as a map on the box of its first pixels.

    Args:
        pairs: Values of shape (..., S).
        box: Rows and columns of the first pixels, end-exclusive.
        size: Height and width of the grid.
        border: ``'complete'`` or ``'published'``.

    Returns:
        A view of shape (..., rows, columns).
    """
    row0, row1, column0, column1 = box
    if border == 'published':
        return pairs.unflatten(-1, (row1 - row0, column1 - column0))
    return shifted(pairs.unflatten(-1, tuple(size)), box, (0, 0))


def recomputed(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """A function's value, whose intermediate results are computed again for the gradient.

    Args:
        function: Function of tensors without random numbers.
        inputs: Its arguments.

    Returns:
        Its value; only the arguments are kept for the gradient.
    """
    if torch.is_grad_enabled() and any(value.requires_grad for value in inputs):
        return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
    return function(*inputs)


def _on_sources(pairs: Tensor, box: Box, size: Sequence[int], border: str, fill: float) -> Tensor:
    if border == 'complete':
        row0, row1, column0, column1 = box
        margins = column0, size[1] - column1, row0, size[0] - row1
        pairs = F.pad(pairs, margins, value=fill)
    return pairs.flatten(-2)
