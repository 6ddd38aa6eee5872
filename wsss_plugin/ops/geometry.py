"""Maps and boxes of one view of an image in the frame of another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32
from wsss_plugin.ops.view_geometry import ViewGeometry

Geometries = ViewGeometry | Sequence[ViewGeometry]
_Axes = tuple[tuple[float, float], tuple[float, float]]


def to_view(
    tensor: Tensor,
    geometry: Geometries,
    size: Sequence[int] | None = None,
    fill: float | None = None,
) -> Tensor:
    """Shows maps of view 1 as another view shows them, with gradient.

    Position p of the view (pixel centres at 0.5) is position box0 + p (box1 - box0) / size of view
    1, from the other side where the view is mirrored. Floating-point maps are interpolated
    linearly, as by ``torch.nn.functional.interpolate`` without ``align_corners``; of integer maps
    the nearest value is taken.

    Args:
        tensor: Feature maps (B, C, h, w) or label maps (B, h, w) of view 1, of any resolution.
        geometry: Geometry of the view, one for all or one for each of the B samples.
        size: Height and width of the result; those of the view if None.
        fill: Value where the view reaches beyond view 1; if None 0, and 255 for integers.

    Returns:
        Maps of the view, (B, C, *size) or (B, *size), in the type of ``tensor``.

    Raises:
        ValueError: If the shape or the number of geometries does not fit.

    >>> whole = ViewGeometry.of_frame((4, 4))
    >>> view = whole.part((0, 4, 0, 2), flip=True, size=(2, 2))
    >>> to_view(torch.arange(4.0).expand(1, 1, 2, 4), view, size=(1, 2))
    tensor([[[[1., 0.]]]])
    """
    return _each(tensor, geometry, size, fill, back=False)


def from_view(
    tensor: Tensor,
    geometry: Geometries,
    size: Sequence[int] | None = None,
    fill: float | None = None,
) -> Tensor:
    """Puts maps of a view back into the frame of view 1, with gradient; the reverse of `to_view`.

    Args:
        tensor: Feature maps (B, C, h, w) or label maps (B, h, w) of the view, of any resolution.
        geometry: Geometry of the view, one for all or one for each of the B samples.
        size: Height and width of the result; those of view 1 if None.
        fill: Value where the view does not reach; if None 0, and 255 for integers.

    Returns:
        Maps in view 1's frame, (B, C, *size) or (B, *size), in the type of ``tensor``.

    Raises:
        ValueError: If the shape or the number of geometries does not fit.

    >>> view = ViewGeometry.of_frame((2, 4)).part((0, 2, 0, 2), flip=True, size=(2, 2))
    >>> from_view(torch.tensor([[[7, 8], [7, 8]]]), view)[0, 0].tolist()
    [8, 7, 255, 255]
    """
    return _each(tensor, geometry, size, fill, back=True)


def box_to_view(box: Tensor, geometry: Geometries, size: Sequence[int] | None = None) -> Tensor:
    """Boxes of view 1 in whole pixels of another view.

    Args:
        box: Boxes (B, 4) in pixels of view 1: (row0, row1, col0, col1), end-exclusive.
        geometry: Geometry of the view, one for all or one for each of the B samples.
        size: Height and width of the map whose pixels count; those of the view if None.

    Returns:
        int64 boxes (B, 4), cut to the view; one that lies outside has no pixels.

    Raises:
        ValueError: If the shape or the number of geometries does not fit.

    >>> view = ViewGeometry.of_frame((4, 4)).part((0, 4, 0, 4), flip=True, size=(2, 2))
    >>> box_to_view(torch.tensor([[0, 4, 0, 2]]), view)
    tensor([[0, 2, 1, 2]])
    """
    if box.dim() != 2 or box.shape[1] != 4:
        raise ValueError(f'expected boxes (B, 4), received {tuple(box.shape)}')
    boxes = []
    for one, where in zip(box.tolist(), _listed(geometry, len(box)), strict=True):
        frame = ViewGeometry.of_frame(where.frame, valid=one)
        height, width = size or where.size
        boxes.append(frame.part(where.box, where.flip, (height, width)).valid)
    return torch.tensor(boxes, dtype=torch.int64, device=box.device).view(-1, 4)


def _listed(geometry: Geometries, count: int) -> list[ViewGeometry]:
    listed = [geometry] * count if isinstance(geometry, ViewGeometry) else list(geometry)
    if len(listed) != count:
        raise ValueError(
            f'expected one geometry for each of {count} samples, received {len(listed)}'
        )
    return listed


def _each(
    tensor: Tensor, geometry: Geometries, size: Sequence[int] | None, fill: float | None, back: bool
) -> Tensor:
    """Samples all maps at once where they share a geometry, otherwise one after the other."""
    if tensor.dim() not in (3, 4):
        raise ValueError(f'expected maps (B, C, h, w) or (B, h, w), received {tuple(tensor.shape)}')
    listed = _listed(geometry, len(tensor))
    # Without samples nothing says where a view lies.
    distinct = set(listed) or {ViewGeometry.of_frame((tensor.shape[-2], tensor.shape[-1]))}
    if len(distinct) == 1:
        return _resampled(tensor, distinct.pop(), size, fill, back)
    parts = tensor.split(1)
    return torch.cat(
        [_resampled(one, where, size, fill, back) for one, where in zip(parts, listed, strict=True)]
    )


def _resampled(
    tensor: Tensor,
    geometry: ViewGeometry,
    size: Sequence[int] | None,
    fill: float | None,
    back: bool,
) -> Tensor:
    size = size or (geometry.frame if back else geometry.size)
    floating = tensor.is_floating_point()
    if floating and geometry.box == (0, geometry.frame[0], 0, geometry.frame[1]):
        return _whole_resampled(tensor, geometry.flip, size)
    axes = _axes_from_view(geometry, tensor) if back else _axes_to_view(geometry, tensor)
    values, inside = at_least_float32(tensor) if floating else tensor, []
    for dim, ends, length in zip((-2, -1), axes, size, strict=True):
        start, stop = ends
        steps = torch.arange(length, dtype=torch.float64, device=tensor.device) + 0.5
        positions = start + steps * ((stop - start) / length)
        inside.append((positions >= 0) & (positions <= tensor.shape[dim]))
        values = _taken(values, dim, positions, floating)
    seen = inside[0][:, None] & inside[1]
    if fill is None:
        fill = 0 if floating else 255
    return torch.where(seen, values, torch.as_tensor(fill, device=tensor.device)).to(tensor.dtype)


def _whole_resampled(tensor: Tensor, flip: bool, size: Sequence[int]) -> Tensor:
    """A view of all of view 1, in torch's own kernel, whose rounding published numbers share."""
    maps = at_least_float32(tensor.flip(-1) if flip else tensor)
    if tensor.dim() == 3:
        maps = maps[:, None]
    maps = F.interpolate(maps, size=tuple(size), mode='bilinear', align_corners=False)
    return maps.reshape(*tensor.shape[:-2], *size).to(tensor.dtype)


def _axes_to_view(geometry: ViewGeometry, tensor: Tensor) -> _Axes:
    """First and last edge of the view by height and width, in pixels of a map of view 1."""
    row0, row1, col0, col1 = geometry.box
    down, across = (tensor.shape[dim - 2] / geometry.frame[dim] for dim in (0, 1))
    cols = (col1, col0) if geometry.flip else (col0, col1)
    return (row0 * down, row1 * down), (cols[0] * across, cols[1] * across)


def _axes_from_view(geometry: ViewGeometry, tensor: Tensor) -> _Axes:
    """First and last edge of view 1 by height and width, in pixels of a map of the view."""
    row0, row1, col0, col1 = geometry.box
    (height, width), (rows, cols) = tensor.shape[-2:], geometry.frame
    down, across = height / (row1 - row0), width / (col1 - col0)
    left, right = -col0 * across, (cols - col0) * across
    if geometry.flip:
        left, right = width - left, width - right
    return (-row0 * down, (rows - row0) * down), (left, right)


def _taken(values: Tensor, dim: int, positions: Tensor, linear: bool) -> Tensor:
    """Values along an axis at positions whose pixels' centres lie at 0.5, 1.5, ..."""
    last = values.shape[dim] - 1
    if not linear:
        return values.index_select(dim, positions.floor().long().clamp(0, last))
    centred = (positions - 0.5).clamp(0, last)
    low = centred.floor().long()
    weight = (centred - low).to(values.dtype)
    if dim == -2:
        weight = weight[:, None]
    upper = values.index_select(dim, (low + 1).clamp(max=last))
    return torch.lerp(values.index_select(dim, low), upper, weight)
