"""Gaussian filtering in high dimensions on the permutohedral lattice."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


class PermutohedralLattice:
    """A lattice for points, by which any number of channels is filtered in linear time.

    Approximates ``out_i = sum_j exp(-|f_i - f_j|^2 / 2) v_j`` (Adams, Baek and Davis: Fast
    High-Dimensional Filtering Using the Permutohedral Lattice, 2010): values are splatted to the
    d + 1 corners of the simplex that holds their point, blurred along the d + 1 directions of the
    lattice with ``v + (n_minus + n_plus) / 2``, and sliced at the points times ``1 / (1 + 2^-d)``.
    Only corners of such simplices exist; a missing neighbour counts as zero. The sum is not divided
    by the sum of the weights. It is too small by a factor that depends little on the points (about
    0.9 in one dimension, 0.7 in five, if they are many), and as the directions have an order, the
    filter is not quite symmetric.

    Positions and weights are float32, or float64 if the features are, under autocast too. They
    have no gradient.

    Args:
        features: Positions f of the points in standard deviations, (N, d).

    Raises:
        ValueError: If the features are no finite numbers of shape (N, d) with N and d at least 1,
            or are so far apart that the corners cannot be numbered in 64 bits.

    >>> lattice = PermutohedralLattice(torch.tensor([[0.0], [0.1], [9.0]]))
    >>> [round(value, 3) for value in lattice.filter(torch.ones(3, 1)).flatten().tolist()]
    [1.647, 1.613, 0.754]
    """

    def __init__(self, features: Tensor) -> None:
        if features.dim() != 2 or 0 in features.shape:
            raise ValueError(
                'expected features (N, d) with at least one point and one dimension, received '
                f'{tuple(features.shape)}'
            )
        self.num_points, self.dims = features.shape
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            position = _in_lattice(at_least_float32(features))
            strides = self._strides(position)
            corner, order, remainder = _enclosing_simplex(position)
            self._set_corners(self._keys(corner, order, strides), _barycentric(remainder))
            self._set_neighbours(strides)

    def filter(self, values: Tensor) -> Tensor:
        """Filtered values.

        Args:
            values: A value of each point and channel, (N, C).

        Returns:
            Values (N, C) in the precision of the lattice; differentiable with regard to ``values``.

        Raises:
            ValueError: If there is not one row of values for each point.
        """
        if values.dim() != 2 or len(values) != self.num_points:
            raise ValueError(
                f'expected values ({self.num_points}, C), one row for each point of the lattice, '
                f'received {tuple(values.shape)}'
            )
        with torch.autocast(values.device.type, enabled=False):
            # Rows that lie together are summed several times as fast.
            values = values.to(self._slice_weight.dtype).contiguous()
            table = _weighted_rows(values, self._splat_point, self._splat_weight, self._splat_start)
            for neighbours, weight in zip(self._blur_corner, self._blur_weight, strict=True):
                table = _weighted_rows(table, neighbours, weight)
            return _weighted_rows(table, self._slice_corner, self._slice_weight)

    def _strides(self, position: Tensor) -> Tensor:
        """What a step along each coordinate adds to the number of a corner.

        The last coordinate follows from the others, since all of them sum to zero.
        """
        size = self.dims + 1
        low, high = torch.stack(torch.aminmax(position[:, : self.dims], dim=0)).tolist()
        # A corner's coordinates are up to d from its point's, a neighbour's up to d from those: a
        # neighbour and a corner differ by less than this.
        spans = [(b - a + 3) * size for a, b in zip(low, high, strict=True)]
        reach = max(-min(low), max(high)) * torch.finfo(position.dtype).eps
        if not (math.prod(spans) < 2**62 and reach < 1 / 16):  # also where a feature is NaN
            raise ValueError(
                'expected finite features that are not too far apart to number the corners, '
                f'received features that span {spans} steps of the lattice; use larger standard '
                'deviations'
            )
        strides = [math.prod(map(int, spans[:index])) for index in range(self.dims)]
        return torch.tensor([*strides, 0], device=position.device)

    def _keys(self, corner: Tensor, order: Tensor, strides: Tensor) -> Tensor:
        """Numbers of the corners of each point's simplex, (N, d + 1).

        Corner r adds r to all coordinates and takes d + 1 from the r smallest remainders.
        """
        first = (corner.long() * strides).sum(dim=1, keepdim=True)
        smallest = strides[order].flip(1).cumsum(dim=1)[:, : self.dims]
        steps = torch.arange(self.dims + 1, device=corner.device) * strides.sum()
        return steps + (self.dims + 1) * (first - F.pad(smallest, (1, 0)))

    def _set_corners(self, keys: Tensor, weight: Tensor) -> None:
        numbers, entry = keys.flatten().sort(stable=True)
        self._numbers, place, count = torch.unique_consecutive(
            numbers, return_inverse=True, return_counts=True
        )
        self._splat_point = entry // (self.dims + 1)
        self._splat_weight = weight.flatten()[entry]
        self._splat_start = count.cumsum(dim=0) - count
        self._slice_corner = torch.empty_like(place).scatter_(0, entry, place).view_as(keys)
        self._slice_weight = weight / (1 + 2.0**-self.dims)

    def _set_neighbours(self, strides: Tensor) -> None:
        """Each corner, the one before and the one after it, along every direction."""
        count = len(self._numbers)
        itself = torch.arange(count, device=strides.device)
        step = (self.dims + 1) * strides - strides.sum()
        wanted = self._numbers + step.unsqueeze(1)
        after = torch.searchsorted(self._numbers, wanted).clamp_(max=count - 1)
        found = self._numbers[after] == wanted
        # A corner comes before the one that is after it. Those with none after them share a last
        # place, which is dropped; -1 stands for none before.
        before = itself.new_full((self.dims + 1, count + 1), -1)
        before.scatter_(1, after.where(found, count), itself.expand_as(after))
        before = before[:, :count]
        self._blur_corner = torch.stack((itself.expand_as(after), before.clamp(min=0), after), 2)
        half = torch.stack((before >= 0, found), dim=2).to(self._slice_weight) / 2
        self._blur_weight = F.pad(half, (1, 0), value=1.0)


def _in_lattice(features: Tensor) -> Tensor:
    """Coordinates in the lattice's hyperplane, in units of d + 1, (N, d + 1)."""
    dims = features.shape[1]
    axis = torch.arange(1, dims + 1, device=features.device, dtype=features.dtype)
    # Column j is orthogonal to the others: 1 for the coordinates before it, -j for its own.
    basis = torch.ones(dims + 1, dims).triu().to(axis) - torch.diag(axis, -1)[:, :dims]
    # The blur has the variance 2/3 (d + 1)^2 along the hyperplane, which becomes 1.
    basis = basis * (math.sqrt(2 / 3) / (axis * (axis + 1)).sqrt())
    # A matrix product may round to ten bits on a GPU.
    return (features.unsqueeze(1) * basis).sum(dim=2)


def _enclosing_simplex(position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The simplex around each point.

    Returns:
        The corner of remainder 0 in units of d + 1, the order of its coordinates by falling
        remainder of the point, and those remainders, each (N, d + 1).
    """
    size = position.shape[1]
    corner = (position - 0.5).ceil()
    remainder, order = (position - corner).sort(dim=1, descending=True, stable=True)
    # Rounding leaves the hyperplane by so many steps, which the worst coordinates take back.
    excess = corner.sum(dim=1, keepdim=True)
    rank = torch.arange(size, device=position.device) + excess
    turn = (rank / size).floor()
    corner = corner - torch.empty_like(turn).scatter_(1, order, turn)
    rank = (rank - turn * size).long()
    sorted_order = torch.empty_like(order).scatter_(1, rank, order)
    sorted_remainder = torch.empty_like(remainder).scatter_(1, rank, remainder + turn)
    return corner, sorted_order, sorted_remainder


def _barycentric(remainder: Tensor) -> Tensor:
    """Weights of the corners with remainder 0 to d, which sum to 1."""
    inner = (remainder[:, :-1] - remainder[:, 1:]).flip(1)
    first = 1 + remainder[:, -1:] - remainder[:, :1]
    return torch.cat((first, inner), dim=1)


def _weighted_rows(
    table: Tensor, index: Tensor, weight: Tensor, start: Tensor | None = None
) -> Tensor:
    """Weighted sums of a table's rows, each over a row of the index or up to the next start."""
    return F.embedding_bag(index, table, offsets=start, mode='sum', per_sample_weights=weight)
