"""Pixel adaptive refinement: masks spread along similar colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32

DILATIONS = (1, 2, 4, 8, 12, 24)

# Rows whose affinity has this size stay in a processor's second cache while they are made.
_BAND_BYTES = 2 << 20

_DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def pixel_affinity(
    image: Tensor,
    dilations: Sequence[int] = DILATIONS,
    w1: float = 0.3,
    w2: float = 0.01,
    eps: float = 1e-8,
) -> Tensor:
    """Affinity of every pixel to its neighbours at several distances.

    For pixel i and neighbour j, ``A_ij = softmax_j(a_ij) + w2 softmax_j(b_ij)`` with
    ``a_ij = -mean_c (|I_c(j) - I_c(i)| / (w1 std_c(i)))^2`` and ``b_ij = -(p_j / (w1 std(p)))^2``,
    where ``p_j`` is the distance of the neighbour and both standard deviations are unbiased and
    run over the neighbours (AFA, whose refinement ToCo and the dual-branch paper use).
    Rows sum to ``1 + w2``.

    Args:
        image: Images of shape (B, 3, H, W) in [0, 1].
        dilations: Distances in pixels; each adds eight neighbours. Beyond the border the nearest
            pixel is repeated.
        w1: Width of both kernels in standard deviations.
        w2: Weight of the position kernel.
        eps: Added to standard deviations; 1e-8 in AFA and ToCo, 1e-5 in ClusterCAM.

    Returns:
        Affinity of shape (B, 8 * len(dilations), H, W), float32 or wider.

    Raises:
        ValueError: If the image is not a batch of images or a dilation is not positive.

    >>> affinity = pixel_affinity(torch.rand(1, 3, 6, 5), dilations=(1, 2))
    >>> affinity.shape, bool(affinity.sum(1).sub(1.01).abs().max() < 1e-5)
    (torch.Size([1, 16, 6, 5]), True)
    """
    _check_dilations(dilations)
    if image.dim() != 4:
        raise ValueError(f'expected images of shape (B, 3, H, W), received {tuple(image.shape)}')
    image = at_least_float32(image)
    padded = _pad(image, dilations)
    position = torch.tensor(_position_affinity(tuple(dilations), w1, w2, eps), dtype=torch.float64)
    position = position.to(device=image.device, dtype=image.dtype, non_blocking=True)
    position = position.view(1, -1, 1, 1)
    batch, _, height, width = image.shape
    affinity = image.new_empty(batch, 8 * len(dilations), height, width)
    for top, bottom in _bands(affinity):
        rows = image[:, :, top:bottom]
        around = list(_neighbours(padded[:, :, top:], rows.shape[-2:], dilations))
        scale = _neighbour_std(around, rows).add(eps).mul(w1)
        logits = [near.sub(rows).div(scale).square().mean(dim=1).neg() for near in around]
        affinity[:, :, top:bottom] = torch.stack(logits, dim=1).softmax(dim=1) + position
    return affinity


def propagate(
    masks: Tensor,
    affinity: Tensor,
    dilations: Sequence[int] = DILATIONS,
    num_iter: int = 10,
) -> Tensor:
    """Replaces every pixel by the affinity-weighted sum of its neighbours, several times.

    ``M(i) <- sum_j A_ij M(j)`` (AFA). Linear in the masks and independent per
    channel; the neighbours are accumulated one at a time, so memory does not grow with their
    number.

    Args:
        masks: Masks of shape (B, K, H, W).
        affinity: Affinity of shape (B, 8 * len(dilations), H, W) from :func:`pixel_affinity`.
        dilations: Distances that the affinity was computed for.
        num_iter: Number of repetitions.

    Returns:
        Masks of shape (B, K, H, W), float32 or wider.

    Raises:
        ValueError: If the shapes do not belong together or ``num_iter`` is negative.

    >>> affinity = pixel_affinity(torch.rand(1, 3, 6, 5))
    >>> round(propagate(torch.ones(1, 1, 6, 5), affinity).max().item(), 4)  # 1.01 ** 10
    1.1046
    """
    _check_dilations(dilations)
    if num_iter < 0:
        raise ValueError(f'expected num_iter >= 0, received {num_iter}')
    expected = (masks.shape[0], 8 * len(dilations), *masks.shape[2:])
    if masks.dim() != 4 or affinity.shape != expected:
        raise ValueError(
            f'expected affinity of shape {expected} for masks (B, K, H, W) of shape '
            f'{tuple(masks.shape)}, received {tuple(affinity.shape)}; compute it by pixel_affinity '
            'from images of the same size with the same dilations'
        )
    masks = at_least_float32(masks)
    weights = affinity.to(masks.dtype).unsqueeze(2).unbind(dim=1)
    size = masks.shape[-2:]
    for _ in range(num_iter):
        spread = torch.zeros_like(masks)
        neighbours = _neighbours(_pad(masks, dilations), size, dilations)
        for weight, neighbour in zip(weights, neighbours, strict=True):
            spread.addcmul_(neighbour, weight)
        masks = spread
    return masks


def _bands(affinity: Tensor) -> Iterator[tuple[int, int]]:
    """First and last row of parts that fit a processor's cache; all rows at once elsewhere."""
    height = affinity.shape[-2]
    row = affinity[..., :1, :].numel() * affinity.element_size()
    rows = max(1, _BAND_BYTES // max(1, row)) if affinity.device.type == 'cpu' else height
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _check_dilations(dilations: Sequence[int]) -> None:
    if not dilations or min(dilations) < 1:
        raise ValueError(f'expected at least one positive dilation, received {tuple(dilations)}')


def _pad(image: Tensor, dilations: Sequence[int]) -> Tensor:
    return F.pad(image, (max(dilations),) * 4, mode='replicate')


def _neighbours(padded: Tensor, size: Sequence[int], dilations: Sequence[int]) -> Iterator[Tensor]:
    """Views of the padded image, shifted to each neighbour in turn."""
    margin = max(dilations)
    height, width = size
    for dilation in dilations:
        for row, column in _DIRECTIONS:
            top, left = margin + dilation * row, margin + dilation * column
            yield padded[..., top : top + height, left : left + width]


def _neighbour_std(neighbours: Sequence[Tensor], image: Tensor) -> Tensor:
    """Unbiased standard deviation over the neighbours, in two passes against cancellation."""
    mean = torch.zeros_like(image)
    for neighbour in neighbours:
        mean = mean.add_(neighbour)
    mean = mean / len(neighbours)
    variance = torch.zeros_like(image)
    for neighbour in neighbours:
        deviation = neighbour - mean
        variance = variance.addcmul_(deviation, deviation)
    return (variance / (len(neighbours) - 1)).sqrt()


@cache
def _position_affinity(
    dilations: tuple[int, ...], w1: float, w2: float, eps: float
) -> tuple[float, ...]:
    distance = torch.tensor(
        [
            dilation * (row * row + column * column) ** 0.5
            for dilation in dilations
            for row, column in _DIRECTIONS
        ],
        dtype=torch.float64,
    )
    logits = -(distance / (distance.std() + eps) / w1).square()
    return tuple((w2 * logits.softmax(dim=0)).tolist())
