"""Energy of a dense conditional random field, and the bilateral filter that it needs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_plugin.ops.permutohedral import PermutohedralLattice
from wsss_plugin.ops.precision import at_least_float32


def bilateral_filter(
    images: Tensor, values: Tensor, sigma_rgb: float = 15.0, sigma_xy: float = 100.0
) -> Tensor:
    """Sums values over all pixels of an image, weighted by nearness in place and in colour.

    ``out_i = sum_j exp(-|p_i - p_j|^2 / (2 sigma_xy^2) - |c_i - c_j|^2 / (2 sigma_rgb^2)) v_j``,
    i itself among the j, approximated by a :class:`~wsss_plugin.ops.PermutohedralLattice` of each
    image. Not divided by the sum of the weights.

    Args:
        images: Images of shape (B, 3, H, W) in [0, 1].
        values: Values of shape (B, C, H, W).
        sigma_rgb: Standard deviation of the colours in grey levels, of which there are 255.
        sigma_xy: Standard deviation of the places in pixels.

    Returns:
        Values of shape (B, C, H, W), float32, or float64 if images or values are; differentiable
        with regard to ``values``.

    Raises:
        ValueError: If images and values differ in number or size, images are integers or a
            deviation is not positive.

    >>> image = torch.tensor([0.0, 0.0, 1.0]).expand(1, 3, 1, 3)
    >>> weights = bilateral_filter(image, torch.ones(1, 1, 1, 3)).flatten()
    >>> bool(weights[0] > 1.5 * weights[2])
    True
    """
    if images.dim() != 4 or values.dim() != 4 or _pixels(images) != _pixels(values):
        raise ValueError(
            'expected images (B, 3, H, W) and values (B, C, H, W), received '
            f'{tuple(images.shape)} and {tuple(values.shape)}'
        )
    if sigma_rgb <= 0 or sigma_xy <= 0:
        raise ValueError(
            'expected positive standard deviations, received '
            f'sigma_rgb={sigma_rgb} and sigma_xy={sigma_xy}'
        )
    _check_type(images)
    if not len(images):
        return torch.zeros_like(values)
    images = at_least_float32(images.to(torch.promote_types(images.dtype, values.dtype)))
    filtered = [
        PermutohedralLattice(_features(image, sigma_rgb, sigma_xy)).filter(value.flatten(1).t())
        for image, value in zip(images, values, strict=True)
    ]
    return torch.stack(filtered).transpose(1, 2).unflatten(2, values.shape[-2:])


def dense_energy(
    probabilities: Tensor,
    images: Tensor,
    region: Tensor | None = None,
    ignored: Tensor | None = None,
    sigma_rgb: float = 15.0,
    sigma_xy: float = 100.0,
    scale: float = 0.5,
) -> Tensor:
    """Energy of probabilities that should change only where colours do, ToCo's regulariser.

    ``E = -1/B sum_k sum_i S_ki G_i (A S_k)_i`` with ``S = P R`` and the bilateral filter A. R is 1
    in the region and 0 elsewhere. The gate ``G = 1 - max_k P_k``, 1 where the label is ignored,
    lets unsure pixels count. Without the gate it is, up to a constant, the relaxed Potts energy
    ``1/B sum_k S_k' A (R - S_k)`` of Tang et al.: On Regularized Losses for Weakly-supervised CNN
    Segmentation, 2018.

    The gradient with regard to P is ``-2/B R G (A S)``, as in ToCo's code. It is not the
    derivative of E: the gate is a constant, and the gate of a pixel weighs all that its neighbours
    do to it, but not what it does to them.

    Args:
        probabilities: Probabilities P of shape (B, K, H, W) in [0, 1].
        images: Images of shape (B, 3, H, W) in [0, 1].
        region: Where the image is valid, (B, H, W), boolean or 0 and 1; None for everywhere.
        ignored: Where no label is known, (B, H, W), boolean or 0 and 1; None for nowhere.
        sigma_rgb: Standard deviation of the colours in grey levels, of which there are 255.
        sigma_xy: Standard deviation of the places in pixels of the images before scaling.
        scale: Scale at which the energy is computed: images and masks by the nearest pixel,
            probabilities bilinearly.

    Returns:
        A scalar that is at most 0, float32, or float64 if the probabilities are.

    Raises:
        ValueError: If sizes differ, images are integers, or a deviation or the scale is not
            positive.

    >>> probabilities = torch.rand(1, 3, 8, 8).softmax(dim=1)
    >>> bool(dense_energy(probabilities, torch.rand(1, 3, 8, 8)) < 0)
    True
    """
    _check_maps(probabilities, images, region, ignored, scale)
    valid = torch.ones_like(images[:, 0], dtype=torch.bool) if region is None else region
    unknown = torch.zeros_like(valid) if ignored is None else ignored
    masks = torch.stack((valid, unknown), dim=1).to(images)
    nearest = F.interpolate(torch.cat((images, masks), dim=1), scale_factor=scale, mode='nearest')
    images, masks = nearest.split((images.shape[1], 2), dim=1)
    probabilities = F.interpolate(
        at_least_float32(probabilities), scale_factor=scale, mode='bilinear', align_corners=False
    )
    return _Energy.apply(probabilities, images, masks, sigma_rgb, sigma_xy * scale)


class _Energy(torch.autograd.Function):
    """The energy at one scale, with ToCo's gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        probabilities: Tensor,
        images: Tensor,
        masks: Tensor,
        sigma_rgb: float,
        sigma_xy: float,
    ) -> Tensor:
        region, ignored = masks.to(probabilities).split(1, dim=1)
        gate = 1 - probabilities.amax(dim=1, keepdim=True)
        gate = gate.masked_fill(ignored > 0, 1)
        selected = probabilities * region
        spread = gate * bilateral_filter(images, selected, sigma_rgb, sigma_xy).to(selected)
        ctx.save_for_backward(spread * region)
        return -(selected * spread).sum() / max(len(probabilities), 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (spread,) = ctx.saved_tensors
        return -2 / max(len(spread), 1) * gradient * spread, None, None, None, None


def _pixels(maps: Tensor) -> tuple[int, ...]:
    return (maps.shape[0], *maps.shape[2:])


def _features(image: Tensor, sigma_rgb: float, sigma_xy: float) -> Tensor:
    """Column, row and colours of the pixels in standard deviations, (H * W, 5)."""
    rows, columns = (
        torch.arange(side, device=image.device, dtype=image.dtype) for side in image.shape[-2:]
    )
    row, column = torch.meshgrid(rows, columns, indexing='ij')
    place = torch.stack((column, row)) / sigma_xy
    return torch.cat((place, image * (255 / sigma_rgb))).flatten(1).t()


def _check_type(images: Tensor) -> None:
    if not images.is_floating_point():
        raise ValueError(
            f'expected images as floating point numbers in [0, 1], received {images.dtype}; divide '
            'grey levels by 255'
        )


def _check_maps(
    probabilities: Tensor,
    images: Tensor,
    region: Tensor | None,
    ignored: Tensor | None,
    scale: float,
) -> None:
    _check_type(images)
    expected = _pixels(images)
    masks = [tuple(mask.shape) for mask in (region, ignored) if mask is not None]
    same = {_pixels(probabilities), *masks} == {expected}
    if images.dim() != 4 or probabilities.dim() != 4 or not same:
        raise ValueError(
            'expected probabilities (B, K, H, W), images (B, 3, H, W) and masks (B, H, W) of one '
            f'size, received {tuple(probabilities.shape)}, {tuple(images.shape)} and {masks}; '
            'resize them to the images'
        )
    if scale <= 0 or min(images.shape[-2:]) * scale < 1:
        raise ValueError(
            f'expected a positive scale that leaves at least one pixel of {tuple(images.shape)}, '
            f'received {scale}'
        )
