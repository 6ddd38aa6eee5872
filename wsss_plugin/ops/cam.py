"""Class activation maps (CAM)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def class_activation_map(features: Tensor, weight: Tensor) -> Tensor:
    """Raw CAMs, ``M_k = sum_c w_kc F_c``, with gradient to features and weight.

    Args:
        features: Feature map of shape (B, C, h, w).
        weight: Weight of a bias-free linear classifier, (K, C) or (K, C, 1, 1).

    Returns:
        Signed maps of shape (B, K, h, w).

    Raises:
        ValueError: If the channels differ.

    >>> class_activation_map(torch.ones(1, 2, 1, 1), torch.tensor([[1.0, -3.0]])).item()
    -2.0
    """
    kernel = weight.reshape(*weight.shape[:2], 1, 1) if weight.numel() else weight
    if features.dim() != 4 or kernel.shape[1] != features.shape[1]:
        raise ValueError(
            'expected features (B, C, h, w) and a classifier weight (K, C), received '
            f'{tuple(features.shape)} and {tuple(weight.shape)}'
        )
    return F.conv2d(features, kernel)


def merge_flip(raw: Tensor, size: Sequence[int]) -> Tensor:
    """Resizes the maps of images and of their mirror images and keeps the larger of the two.

    Args:
        raw: Raw maps (2B, K, h, w); the second half belongs to horizontally flipped images.
        size: Height and width of the result.

    Returns:
        Maps of shape (B, K, *size).

    Raises:
        ValueError: If the batch is odd.
    """
    if raw.shape[0] % 2:
        raise ValueError(
            f'expected as many flipped as unflipped maps, received {raw.shape[0]} maps in all'
        )
    resized = F.interpolate(raw, size=tuple(size), mode='bilinear', align_corners=False)
    images, mirrored = resized.chunk(2)
    return torch.maximum(images, mirrored.flip(-1))


def normalize_cam(cam: Tensor, eps: float = 1e-5) -> Tensor:
    """Scales every map to [0, 1], per image and class.

    ``M = (M - min M) / (max(M - min M) + eps)``; a constant map becomes zero.

    Args:
        cam: Maps of shape (B, K, h, w).
        eps: Added to the maximum.

    Returns:
        Maps of shape (B, K, h, w) in [0, 1).

    >>> normalize_cam(torch.tensor([[[[1.0, 2.0, 3.0]]]])).round(decimals=3).tolist()
    [[[[0.0, 0.5, 1.0]]]]
    """
    shifted = cam - cam.amin(dim=(-2, -1), keepdim=True)
    return shifted / (shifted.amax(dim=(-2, -1), keepdim=True) + eps)


def decoder_cam(logits: Tensor) -> Tensor:
    """How much each class stands out from the background, by segmentation logits.

    ``M_k = sigmoid(z_k - z_0)``, the probability of class k if only k and the background were
    possible. Which classes are possible is left to the tags, as with any CAM.

    Args:
        logits: Segmentation logits (B, K + 1, h, w), channel 0 the background.

    Returns:
        Maps of shape (B, K, h, w) in [0, 1], float32 or wider.

    >>> decoder_cam(torch.tensor([2.0, 2.0, 0.0]).view(1, 3, 1, 1)).flatten()
    tensor([0.5000, 0.1192])
    """
    logits = at_least_float32(logits)
    return (logits[:, 1:] - logits[:, :1]).sigmoid()


def average_cams(cams: Sequence[Tensor]) -> Tensor:
    """Averages normalised CAMs and normalises the mean; a single one stays as it is.

    Args:
        cams: Normalised maps, each (B, K, h, w).

    Returns:
        Maps of shape (B, K, h, w) in [0, 1).

    >>> cam = torch.tensor([[[[0.0, 0.5]]]])
    >>> average_cams([cam, 0 * cam]).round(decimals=3).tolist()
    [[[[0.0, 1.0]]]]
    """
    if len(cams) == 1:
        return cams[0]
    return normalize_cam(torch.stack(list(cams)).mean(dim=0))


def multi_scale_cam(
    forward: Callable[[Tensor], Sequence[Tensor]],
    image: Tensor,
    scales: Sequence[float] = (1.0, 0.5, 1.5),
    identity: Sequence[Tensor] | None = None,
) -> tuple[Tensor, ...]:
    """Normalised CAMs over scales and horizontal flips.

    At each scale the raw maps of image and mirror image are resized to the image, merged by their
    maximum and cut at zero; the sum over scales is normalised (ToCo's multi-scale CAM).

    Args:
        forward: Maps a batch of images to one or more raw maps, each (B, K, h, w).
        image: Normalised images of shape (B, 3, H, W).
        scales: Factors of the image size.
        identity: Raw maps of the image itself, if known; saves that part of the pass at scale 1.

    Returns:
        As many CAMs as ``forward`` gives maps, each (B, K, H, W) in [0, 1], float32 or wider.

    Raises:
        ValueError: If there is no scale, or one is not positive.

    >>> cam, = multi_scale_cam(lambda x: (x[:, :1],), torch.rand(2, 3, 8, 8), scales=(1.0, 0.5))
    >>> cam.shape
    torch.Size([2, 1, 8, 8])
    """
    if not scales or min(scales) <= 0:
        raise ValueError(f'expected positive CAM scales, received {tuple(scales)}')
    per_scale = [_flip_merged(forward, image, scale, identity) for scale in scales]
    return tuple(
        normalize_cam(torch.stack(maps).sum(dim=0)) for maps in zip(*per_scale, strict=True)
    )


def _flip_merged(
    forward: Callable[[Tensor], Sequence[Tensor]],
    image: Tensor,
    scale: float,
    identity: Sequence[Tensor] | None,
) -> list[Tensor]:
    size = image.shape[-2:]
    if scale == 1 and identity is not None:
        mirrored = forward(image.flip(-1))
        raw = [torch.cat(pair) for pair in zip(identity, mirrored, strict=True)]
    else:
        scaled = image
        if scale != 1:
            scaled_size = [max(1, int(scale * side)) for side in size]
            scaled = F.interpolate(image, scaled_size, mode='bilinear', align_corners=False)
        raw = list(forward(torch.cat((scaled, scaled.flip(-1)))))
    return [merge_flip(at_least_float32(maps), size).relu() for maps in raw]
