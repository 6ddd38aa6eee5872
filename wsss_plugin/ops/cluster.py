"""Soft clusters of patches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def cluster_assignment(
    patches: Tensor,
    grid: Sequence[int],
    steps: int = 3,
    cell: Sequence[int] = (2, 2),
    eps: float = 1e-8,
) -> tuple[Tensor, Tensor]:
    """Which patches belong to which cluster (ClusterCAM, equations 2 and 3).

    The centres begin as the means of a regular grid of cells. Then, ``steps`` times,
    ``S = softmax_m(P C^T / sqrt(C_dim))`` over the centres, and each centre becomes the mean of
    all patches by the weights of its column of S, wherever they lie. The paper has 10 steps, the
    published code 3.

    Args:
        patches: Patch tokens P of shape (B, N, C), row by row.
        grid: Height and width h, w of the patches, with h * w = N.
        steps: Number of steps.
        cell: Height and width of a cell in patches; there are (h // height) * (w // width)
            centres, at least one each way, so that cells of odd grids differ in size.
        eps: Added to the sum of a column.

    Returns:
        The assignment S of the last step, (B, N, M), of which each row sums to 1, and the centres
        that follow from it, (B, M, C).

    Raises:
        ValueError: If grid and patches do not belong together, or ``steps`` or ``cell`` is not
            positive.

    >>> import torch
    >>> patches = torch.tensor([9.0, 9.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0]).view(1, 8, 1)
    >>> assignment, centres = cluster_assignment(patches, grid=(2, 4), steps=3)
    >>> assignment.shape, centres.shape
    (torch.Size([1, 8, 2]), torch.Size([1, 2, 1]))
    >>> assignment[0, :4, 0].round(decimals=2)  # those of the left cell belong together
    tensor([1.0000, 1.0000, 0.5000, 0.5000])
    """
    height, width = grid
    if patches.dim() != 3 or patches.shape[1] != height * width:
        raise ValueError(
            'expected patches (B, N, C) and a grid (h, w) with h * w = N, received '
            f'{tuple(patches.shape)} and {tuple(grid)}'
        )
    check_cluster_settings(steps, cell)
    maps = patches.transpose(1, 2).unflatten(2, (height, width))
    cells = max(1, height // cell[0]), max(1, width // cell[1])
    centres = _cell_means(maps, (height, width), cells).flatten(2).transpose(1, 2)
    scale = patches.shape[2] ** -0.5
    for _ in range(steps):
        assignment = (patches @ centres.transpose(1, 2) * scale).softmax(dim=2)
        total = at_least_float32(assignment).sum(dim=1).unsqueeze(2) + eps
        centres = (assignment.transpose(1, 2) @ patches / total).to(patches.dtype)
    return assignment, centres


def _cell_means(maps: Tensor, grid: tuple[int, int], cells: tuple[int, int]) -> Tensor:
    """Means (B, C, rows, columns) of the cells of maps (B, C, h, w)."""
    if not torch.jit.is_tracing():
        return F.adaptive_avg_pool2d(maps, cells)
    # ONNX has no pooling into a number of cells that follows from the size of the image. The grid
    # does, and the exporter takes the shape of the maps for one that never changes.
    rows, columns = (
        cell_matrix(length, number, maps) for length, number in zip(grid, cells, strict=True)
    )
    return rows @ maps @ columns.transpose(0, 1)


def cell_matrix(length: int, cells: int, like: Tensor) -> Tensor:
    """The matrix by which a row of patches becomes the means of its cells.

    Cell i reaches from ``floor(i * length / cells)`` to ``ceil((i + 1) * length / cells)``, as that
    of ``adaptive_avg_pool2d`` does.

    Args:
        length: Number of patches.
        cells: Number of cells.
        like: A tensor of the type and on the device that the matrix has.

    Returns:
        The matrix (cells, length), of which each row sums to 1.

    >>> cell_matrix(5, 2, torch.zeros(1))
    tensor([[0.3333, 0.3333, 0.3333, 0.0000, 0.0000],
            [0.0000, 0.0000, 0.3333, 0.3333, 0.3333]])
    """
    cell = torch.arange(cells, device=like.device)[:, None]
    patch = torch.arange(length, device=like.device)[None]
    begin, end = cell * length // cells, ((cell + 1) * length + cells - 1) // cells
    inside = (patch >= begin) & (patch < end)
    return inside.to(like.dtype) / (end - begin).to(like.dtype)


def check_cluster_settings(steps: int, cell: Sequence[int]) -> None:
    """Checks what does not depend on the data.

    Args:
        steps: Number of steps.
        cell: Height and width of a cell.

    Raises:
        ValueError: If one of them is not positive.
    """
    if steps < 1 or len(cell) != 2 or min(cell) < 1:
        raise ValueError(
            'expected at least one step of clustering and a cell of positive height and width, '
            f'received steps={steps} and cell={tuple(cell)}; ClusterCAM has 3 (released) or 10 '
            '(paper) steps and the cell (2, 2)'
        )
