"""Affinities and displacements of pairs of near pixels from class boundaries (IRN)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsss_plugin.ops.pixel_pairs import Offset, map_pairs, pair_offsets, recomputed, shifted
from wsss_plugin.ops.precision import at_least_float32


def path_affinity(edge: Tensor, radius: int, border: str = 'complete') -> Tensor:
    """Affinity of every pair of near pixels, by the strongest boundary between them.

    ``a_ij = 1 - max_{k on the line from i to j} e_k`` (IRN), where the line holds every
    pixel nearer than 1 to it, both ends included. The order of pairs is that of
    :func:`wsss_plugin.ops.pair_affinity`; the published code of IRN sorts the offsets by the length
    of their line.

    Args:
        edge: Probability of a class boundary, (B, 1, h, w) or (B, h, w) in [0, 1].
        radius: Radius in cells of the grid; 10 in the published training, 5 in its walk.
        border: As of :func:`wsss_plugin.ops.pair_affinity`.

    Returns:
        Affinity of shape (B, P, S) in [0, 1], float32 or wider; zero where the second pixel is
        outside of the image.

    Raises:
        ValueError: If the edges are no maps of one channel, the grid is too small, the radius out
            of range or the border unknown.

    >>> edge = torch.tensor([0.0, 0.25, 0.0, 0.0]).view(1, 1, 1, 4)
    >>> affinity = path_affinity(edge, radius=3)
    >>> affinity[0, 0].tolist(), affinity[0, 1].tolist()  # one and two pixels to the right
    ([0.75, 0.75, 1.0, 0.0], [0.75, 0.75, 0.0, 0.0])
    """
    maps = edge.squeeze(1) if edge.dim() == 4 and edge.shape[1] == 1 else edge
    if maps.dim() != 3:
        raise ValueError(f'expected edges (B, 1, h, w) or (B, h, w), received {tuple(edge.shape)}')
    maps = at_least_float32(maps)

    def affinity(*along: Tensor) -> Tensor:
        return 1 - torch.stack(along).amax(dim=0)

    return map_pairs(
        maps,
        radius,
        border,
        lambda box, offset: recomputed(
            affinity, *(shifted(maps, box, step) for step in _line(offset))
        ),
        fill=0,
    )


def displacement_loss(
    displacement: Tensor,
    background: Tensor,
    foreground: Tensor,
    radius: int,
    border: str = 'complete',
    mean_count: Callable[[Tensor], Tensor] | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Teaches displacements that lead the pixels of an object to one point.

    ``L = (L_fg + L_bg) / 2`` with the mean of ``|D_i - D_j - o_ij|`` over both coordinates and all
    pairs of the same class, and of ``|D_i - D_j|`` over all pairs of background, where ``o_ij`` is
    the offset from i to j (IRN, as published). A kind without pairs adds zero.

    Args:
        displacement: Displacement field in cells, (B, 2, h, w): rows, columns.
        background: Pairs of background, (B, P, S), from
            :func:`wsss_plugin.ops.affinity_pair_labels` with the same radius and border.
        foreground: Pairs of the same class, (B, P, S).
        radius: Radius in cells of the grid.
        border: As of :func:`wsss_plugin.ops.pair_affinity`.
        mean_count: Averages a count over processes, if there are several.
        eps: Added to the counts.

    Returns:
        The loss, a scalar.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> to_the_left = torch.stack((torch.zeros(1, 3), -torch.arange(3.0).view(1, 3)))
    >>> same = torch.ones(1, 4, 3, dtype=torch.bool)
    >>> same[:, 1:], same[..., 2] = False, False  # pairs side by side only
    >>> displacement_loss(to_the_left.unsqueeze(0), ~same & False, same, radius=2).item()
    0.0
    """
    if displacement.dim() != 4 or displacement.shape[1] != 2:
        raise ValueError(
            f'expected displacements (B, 2, h, w), received {tuple(displacement.shape)}'
        )
    field = at_least_float32(displacement)
    difference = map_pairs(
        field,
        radius,
        border,
        lambda box, offset: shifted(field, box, (0, 0)) - shifted(field, box, offset),
        fill=0,
    )
    if any(kind.shape != difference[:, 0].shape for kind in (background, foreground)):
        raise ValueError(
            f'expected kinds of pairs of shape {tuple(difference[:, 0].shape)} for displacements '
            f'{tuple(displacement.shape)}, radius {radius} and border={border!r}, received '
            f'{tuple(background.shape)} and {tuple(foreground.shape)}'
        )
    offsets = difference.new_tensor(pair_offsets(radius)).T[None, :, :, None]
    kinds = ((difference - offsets).abs(), foreground), (difference.abs(), background)
    parts = [_mean_of_both(error.sum(dim=1), kind, mean_count, eps) for error, kind in kinds]
    return (parts[0] + parts[1]) / 2


def _line(offset: Offset) -> list[Offset]:
    """The pixels nearer than 1 to the line from (0, 0) to an offset, both ends included."""
    row, column = offset
    rows, columns = range(row + 1), range(min(0, column), max(0, column) + 1)
    length = row * row + column * column
    return [(y, x) for y in rows for x in columns if (row * x - column * y) ** 2 < length]


def _mean_of_both(
    errors: Tensor, kind: Tensor, mean_count: Callable[[Tensor], Tensor] | None, eps: float
) -> Tensor:
    kind = kind > 0
    count = kind.sum().to(errors.dtype)
    if mean_count is not None:
        count = mean_count(count)
    return errors.masked_fill(~kind, 0).sum() / (2 * count + eps)
