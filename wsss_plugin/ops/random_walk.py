"""Scores that walk along affinities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_plugin.ops.path_affinity import path_affinity
from wsss_plugin.ops.pixel_pairs import check_pairs, pair_offsets, shifted, source_box
from wsss_plugin.ops.precision import at_least_float32


@torch.no_grad()
def random_walk(
    scores: Tensor,
    affinity: Tensor,
    radius: int,
    border: str = 'complete',
    beta: float = 8,
    steps: int = 256,
) -> Tensor:
    """Spreads scores over pixels of high affinity.

    ``vec(M*) = T^t vec(M)`` with ``T = D^-1 W^beta``, ``W_ii = 1`` and ``D_ii = sum_j W_ij^beta``
    (AffinityNet, equations 11 and 12): every step replaces a score by a weighted mean of its own
    and its neighbours'. T is sparse and is applied to the scores step by step, never squared:
    memory and time grow with the number of pixels, not with its square or cube. Steps in float64,
    so that 256 of them do not drift; only channels that are not zero everywhere are walked, so it
    costs nothing to give all classes. Without gradient.

    Args:
        scores: Scores of shape (B, K, h, w), of background and classes for example.
        affinity: Affinity of shape (B, P, S) in [0, 1], from
            :func:`wsss_plugin.ops.pair_affinity` or :func:`wsss_plugin.ops.path_affinity` with the
            same radius and border.
        radius: Radius of the pairs in cells of the grid.
        border: ``'complete'`` or ``'published'``, as the affinity was computed.
        beta: The power; higher ones spread less across weak affinities.
        steps: The number of steps t.

    Returns:
        Scores of shape (B, K, h, w), float32 or wider; a pixel without neighbours keeps its own.

    Raises:
        ValueError: If the affinity does not belong to the grid, the grid is too small, or beta or
            steps are out of range.

    >>> scores = torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 1, 3)
    >>> affinity = torch.zeros(1, 4, 3)
    >>> affinity[0, 0, 0] = 1  # the first two pixels belong together
    >>> random_walk(scores, affinity, radius=2, steps=1).flatten().tolist()
    [0.5, 0.5, 0.0]
    """
    size = tuple(scores.shape[2:])
    if scores.dim() != 4:
        raise ValueError(f'expected scores (B, K, h, w), received {tuple(scores.shape)}')
    check_pairs(size, radius, border)
    _check_walk(scores, affinity, radius, border, beta, steps)
    walked = torch.zeros_like(at_least_float32(scores))
    edges = _edges(size, radius, border, scores.device)
    for image, pairs, result in zip(scores, affinity, walked, strict=True):
        present = image.flatten(1).any(dim=1)
        values = image[present].flatten(1).double().T.contiguous()
        transition = _transition(pairs.flatten(), edges, size, beta)
        for _ in range(steps):
            values = transition @ values
        result[present] = values.T.reshape(-1, *size).to(result)
    return walked


def boundary_walk(
    cam: Tensor, edge: Tensor, radius: int = 5, beta: float = 10, steps: int = 256
) -> Tensor:
    """Spreads CAMs up to class boundaries (IRN).

    ``M* = T^t ((1 - e) M)`` by :func:`random_walk` with the affinities of
    :func:`wsss_plugin.ops.path_affinity` and a complete border, which is what the published padding
    with edges comes to. Divide the result, once it has been resized to the image, by its maximum
    over all classes before a background threshold.

    Args:
        cam: CAMs of shape (B, K, h, w), zero for absent classes.
        edge: Probability of a class boundary, (B, 1, h, w) in [0, 1].
        radius: Radius of the walk in cells; 5 is published, half that of the training.
        beta: The power of affinities.
        steps: The number of steps.

    Returns:
        Scores of shape (B, K, h, w), float32 or wider, without gradient.

    Raises:
        ValueError: If the grids differ or a setting is out of range.

    >>> cam, edge = torch.zeros(1, 1, 1, 5), torch.zeros(1, 1, 1, 5)
    >>> cam[..., 0], edge[..., 3] = 1, 1
    >>> boundary_walk(cam, edge, radius=2).round(decimals=2).flatten()
    tensor([0.2900, 0.2900, 0.2900, 0.0000, 0.0000])
    """
    if edge.dim() != 4 or edge.shape[1] != 1 or cam.shape[2:] != edge.shape[2:]:
        raise ValueError(
            'expected CAMs (B, K, h, w) and edges (B, 1, h, w) on the same grid, received '
            f'{tuple(cam.shape)} and {tuple(edge.shape)}; resize the CAMs'
        )
    affinity = path_affinity(edge.detach(), radius)
    return random_walk(cam * (1 - edge), affinity, radius, beta=beta, steps=steps)


def _check_walk(
    scores: Tensor, affinity: Tensor, radius: int, border: str, beta: float, steps: int
) -> None:
    row0, row1, column0, column1 = source_box(scores.shape[2:], (0, 0), radius, border)
    sources = (row1 - row0) * (column1 - column0)
    expected = len(scores), len(pair_offsets(radius)), sources
    if affinity.shape != expected:
        raise ValueError(
            f'expected affinity (B, P, S) of shape {expected} for scores of shape '
            f'{tuple(scores.shape)}, radius {radius} and border={border!r}, received '
            f'{tuple(affinity.shape)}; compute it on the grid of the scores with the same radius '
            'and border'
        )
    if beta <= 0 or steps < 0 or steps != int(steps):
        raise ValueError(
            f'expected beta above 0 and a whole number of steps of at least 0, received '
            f'beta={beta} and steps={steps}; the published ones are 8 and 256'
        )


def _edges(
    size: Sequence[int], radius: int, border: str, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """First and second pixel of each pair inside the image, and its place among all pairs."""
    offsets = pair_offsets(radius)
    pixels = torch.arange(size[0] * size[1], device=device).view(*size)
    row0, row1, column0, column1 = source_box(size, (0, 0), radius, border)
    grid = row1 - row0, column1 - column0
    places = torch.arange(len(offsets) * grid[0] * grid[1], device=device)
    parts = []
    for offset, place in zip(offsets, places.view(-1, *grid), strict=True):
        box = source_box(size, offset, radius, border)
        own = shifted(place, box, (-row0, -column0))
        first, second = shifted(pixels, box, (0, 0)), shifted(pixels, box, offset)
        parts.append(torch.stack([part.flatten() for part in (first, second, own)]))
    first, second, place = torch.cat(parts, dim=1)
    return first, second, place


def _transition(
    affinity: Tensor, edges: tuple[Tensor, Tensor, Tensor], size: Sequence[int], beta: float
) -> Tensor:
    first, second, place = edges
    pixels = torch.arange(size[0] * size[1], device=affinity.device)
    weight = affinity[place].double() ** beta
    index = torch.stack((torch.cat((first, second, pixels)), torch.cat((second, first, pixels))))
    weight = torch.cat((weight, weight, torch.ones_like(pixels, dtype=torch.float64)))
    total = torch.zeros_like(pixels, dtype=torch.float64).index_add_(0, index[0], weight)
    shape = (len(pixels), len(pixels))
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='Sparse CSR tensor support')
        matrix = torch.sparse_coo_tensor(index, weight / total[index[0]], shape).to_sparse_csr()
        # Short indices are what the products of the CPU library take without converting them.
        rows, columns = matrix.crow_indices().int(), matrix.col_indices().int()
        return torch.sparse_csr_tensor(rows, columns, matrix.values(), shape)
