"""The walk and class features as published: matrices and products written out."""

from __future__ import annotations

import torch
from torch import Tensor


def dense_walk(
    scores: Tensor, affinity: Tensor, offsets: list[tuple[int, int]], beta: float, doublings: int
) -> Tensor:
    """The walk of one image by the matrix of all pairs of cells, squared again and again.

    Args:
        scores: Scores (K, h, w) of all classes.
        affinity: Affinities (P, h * w) with a complete border.
        offsets: Rows and columns of the P offsets.
        beta: The power.
        doublings: Number of squarings.

    Returns:
        Scores (K, h, w).
    """
    height, width = scores.shape[1:]
    rows, columns = (
        grid.flatten()
        for grid in torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    )
    matrix = torch.eye(height * width)
    for (down, right), values in zip(offsets, affinity, strict=True):
        row, column = rows + down, columns + right
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        one, two = (rows * width + columns)[inside], (row * width + column)[inside]
        matrix[one, two] = matrix[two, one] = values[inside]
    transition = matrix**beta
    transition = transition / transition.sum(dim=0, keepdim=True)
    for _ in range(doublings):
        transition = transition @ transition
    return (scores.flatten(1) @ transition).view_as(scores)


def class_features(features: Tensor, masks: Tensor) -> Tensor:
    """The mean of the masked copies of the features.

    Args:
        features: Features (B, C, h, w).
        masks: Masks (B, K, h, w).

    Returns:
        Features (B, K, C).
    """
    return (features.unsqueeze(1) * masks.unsqueeze(2)).mean(dim=(3, 4))
