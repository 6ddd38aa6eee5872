"""Bicubic interpolation as a product of matrices."""

from __future__ import annotations

import torch
from torch import Tensor

_SHARPNESS = -0.75  # of PyTorch's cubic convolution


def bicubic_matrix(old: int, new: int, factor: float | Tensor, like: Tensor) -> Tensor:
    """The matrix that resizes a row as ``F.interpolate`` does with ``mode='bicubic'``.

    Unlike that function it can be traced for a size and a factor that follow from the input.

    Args:
        old: Length of the row.
        new: Length of the resized row.
        factor: The ``scale_factor``, which need not be ``new / old``.
        like: A tensor of the type and on the device that the matrix has.

    Returns:
        The matrix (new, old), of which each row sums to 1.

    >>> bicubic_matrix(3, 3, 1.0, torch.zeros(1)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    places = torch.arange(new, device=like.device).to(like.dtype)
    source = (places + 0.5) / factor - 0.5
    nearest = source.floor()
    columns = torch.arange(old, device=like.device)[None]
    matrix = torch.zeros(1, device=like.device, dtype=like.dtype)
    for offset in (-1, 0, 1, 2):
        neighbour = nearest + offset
        weight = _cubic((source - neighbour).abs(), near=offset in (0, 1))
        inside = neighbour.clamp(0, old - 1).long()
        matrix = matrix + weight[:, None] * (inside[:, None] == columns).to(like.dtype)
    return matrix


def _cubic(distance: Tensor, near: bool) -> Tensor:
    """Weight of a neighbour at a distance of up to 1, or from there to 2."""
    a = _SHARPNESS
    if near:
        return ((a + 2) * distance - (a + 3)) * distance**2 + 1
    return a * (((distance - 5) * distance + 8) * distance - 4)
