"""Resized logits that are never held as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_plugin.ops.precision import at_least_float32

# Resized rows of this size stay in a processor's second cache; a GPU needs large parts.
_BAND_BYTES = {'cpu': 2 << 20}
_LARGE_BAND_BYTES = 256 << 20


def resized_cross_entropy(
    logits: Tensor, label: Tensor, ignore_index: int = 255, align_corners: bool = False
) -> Tensor:
    """Cross entropy of logits that are resized to the label, one band of rows after the other.

    ``CE_p = log sum_k exp(z_kp) - z_{y_p p}`` with the bilinearly resized logits z; 0 where the
    label is ignored. The resized logits, (B, K, H, W), and their gradient never exist as a whole,
    so that memory does not grow with classes times pixels; in the backward pass the bands are
    computed once more.

    Args:
        logits: Logits of shape (B, K, h, w).
        label: Label map of shape (B, H, W), int64.
        ignore_index: Label of ignored pixels.
        align_corners: Whether the corners' centres stay in place, as in ``F.interpolate``.

    Returns:
        Loss of each pixel, (B, H, W), float32 or wider, differentiable once.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> import torch.nn.functional as F
    >>> logits, label = torch.rand(1, 3, 2, 2), torch.tensor([[[0, 2, 1, 255]]])
    >>> resized = F.interpolate(logits, (1, 4), mode='bilinear')
    >>> expected = F.cross_entropy(resized, label, ignore_index=255, reduction='none')
    >>> torch.allclose(resized_cross_entropy(logits, label), expected)
    True
    """
    if logits.dim() != 4 or label.dim() != 3 or len(logits) != len(label):
        raise ValueError(
            'expected logits (B, K, h, w) and a label (B, H, W), received '
            f'{tuple(logits.shape)} and {tuple(label.shape)}'
        )
    return _ResizedCrossEntropy.apply(
        at_least_float32(logits), label.long(), ignore_index, align_corners
    )


@torch.no_grad()
def resized_argmax(logits: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """The class of the largest resized logit, one band of rows after the other.

    Args:
        logits: Logits of shape (B, K, h, w).
        size: Height and width of the result.
        align_corners: As for :func:`resized_cross_entropy`.

    Returns:
        Classes of shape (B, H, W), int64.

    >>> resized_argmax(torch.tensor([[[[0.0, 4.0]], [[3.0, 0.0]]]]), (1, 4)).tolist()
    [[[1, 1, 0, 0]]]
    """
    bands = _Bands(at_least_float32(logits), size, align_corners)
    winners = torch.empty(len(logits), *size, dtype=torch.int64, device=logits.device)
    for image, winner in enumerate(winners):
        for rows, _, band in bands.of(image):
            winner[rows] = band.max(dim=1).indices  # on a CPU twice as fast as argmax
    return winners


class _Bands:
    """Rows of resized logits: columns are resized at once, rows as they are asked for."""

    def __init__(self, logits: Tensor, size: Sequence[int], align_corners: bool) -> None:
        self._logits = logits
        height, width = logits.shape[-2:]
        self.rows, self._above = _resizing(height, size[0], align_corners, logits)
        self.columns, _ = _resizing(width, size[1], align_corners, logits)
        row = logits.shape[1] * size[1] * logits.element_size()
        limit = _BAND_BYTES.get(logits.device.type, _LARGE_BAND_BYTES)
        self._step = max(1, limit // max(1, row))

    def of(self, image: int) -> Iterator[tuple[slice, slice, Tensor]]:
        """Which rows, of which rows of the logits, and the band (rows, K, W)."""
        # Rows first, so that all classes and columns of a band are one product.
        wide = torch.matmul(self._logits[image], self.columns.t()).transpose(0, 1).contiguous()
        total = len(self.rows)
        for top in range(0, total, self._step):
            rows = slice(top, min(top + self._step, total))
            read = self._read(rows)
            band = self.rows[rows, read] @ wide[read].flatten(1)
            yield rows, read, band.unflatten(1, wide.shape[1:])

    def _read(self, rows: slice) -> slice:
        """The rows of the logits between which these lie."""
        return slice(self._above[rows.start], self._above[rows.stop - 1] + 2)


def _resizing(
    given: int, wanted: int, align_corners: bool, like: Tensor
) -> tuple[Tensor, list[int]]:
    """The matrix (wanted, given) of bilinear resizing along one side, and where its rows begin."""
    places = torch.arange(wanted, dtype=torch.float64)
    if align_corners:
        places = places * ((given - 1) / max(1, wanted - 1))
    else:
        places = ((places + 0.5) * (given / wanted) - 0.5).clamp(min=0)
    first = places.floor().clamp(max=given - 1)
    share = (places - first)[:, None]
    first = first.long()[:, None]
    matrix = torch.zeros(wanted, given, dtype=torch.float64).scatter_(1, first, 1 - share)
    matrix.scatter_add_(1, (first + 1).clamp(max=given - 1), share)
    return matrix.to(like), first[:, 0].tolist()


class _ResizedCrossEntropy(torch.autograd.Function):
    """The loss of each pixel; the gradient is summed band by band."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, label: Tensor, ignore_index: int, align_corners: bool
    ) -> Tensor:
        ignored = label == ignore_index
        label = label.masked_fill(ignored, 0)
        ctx.save_for_backward(logits, label, ignored)
        ctx.align_corners = align_corners
        losses = torch.empty(label.shape, dtype=logits.dtype, device=logits.device)
        with torch.autocast(logits.device.type, enabled=False):
            bands = _Bands(logits, label.shape[-2:], align_corners)
            for image in range(len(logits)):
                for rows, _, band in bands.of(image):
                    of_label = label[image, rows][:, None]
                    losses[image, rows] = -band.log_softmax(dim=1).gather(1, of_label)[:, 0]
        return losses.masked_fill_(ignored, 0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        logits, label, ignored = ctx.saved_tensors
        gradient = gradient.masked_fill(ignored, 0)
        total = torch.empty_like(logits)
        with torch.autocast(logits.device.type, enabled=False):
            bands = _Bands(logits, label.shape[-2:], ctx.align_corners)
            for image in range(len(logits)):
                total[image] = _gradient_of_image(
                    bands, image, label[image], gradient[image], logits.shape
                )
        return total, None, None, None


def _gradient_of_image(
    bands: _Bands, image: int, label: Tensor, gradient: Tensor, shape: Sequence[int]
) -> Tensor:
    """``(softmax(z) - [k = y]) g`` of all pixels, brought back to the grid of the logits."""
    _, classes, height, _ = shape
    wide = gradient.new_zeros(height, classes * label.shape[-1])
    for rows, read, band in bands.of(image):
        factor = gradient[rows][:, None]
        slope = band.softmax(dim=1).mul_(factor)
        slope.scatter_add_(1, label[rows][:, None], -factor)
        wide[read].addmm_(bands.rows[rows, read].t(), slope.flatten(1))
    wide = wide.unflatten(1, (classes, label.shape[-1]))
    return torch.matmul(wide, bands.columns).transpose(0, 1)
