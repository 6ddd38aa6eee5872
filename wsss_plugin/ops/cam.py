"""Class activation maps (CAM)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.cam_fusion import CAMFusion
from wsss_plugin.ops.pictures import resize_as_picture
from wsss_plugin.ops.precision import at_least_float32

# Raw maps of images and of their mirror images, and size and kind of resizing of a scaled image.
_Pair = tuple[Tensor, Tensor | None]
_Pass = tuple[tuple[int, int], str | None]


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


def merge_flip(raw: Tensor, size: Sequence[int], how: str = 'max') -> Tensor:
    """Resizes the maps of images and of their mirror images and merges the two.

    Args:
        raw: Raw maps (2B, K, h, w); the second half belongs to horizontally flipped images.
        size: Height and width of the result.
        how: ``'max'`` keeps the larger of the two, ``'sum'`` adds them.

    Returns:
        Maps of shape (B, K, *size).

    Raises:
        ValueError: If the batch is odd.
    """
    if raw.shape[0] % 2:
        raise ValueError(
            f'expected as many flipped as unflipped maps, received {raw.shape[0]} maps in all'
        )
    images, mirrored = _resized(raw, size).chunk(2)
    if how == 'sum':
        return images + mirrored.flip(-1)
    return torch.maximum(images, mirrored.flip(-1))


def _resized(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode='bilinear', align_corners=False)


def normalize_cam(cam: Tensor, eps: float = 1e-5, how: str = 'minmax') -> Tensor:
    """Scales every map to [0, 1], per image and class.

    ``M = (M - min M) / (max(M - min M) + eps)``; a constant map becomes zero. With ``'max'`` the
    minimum is not subtracted: ``M = M / (max M + eps)``, for maps without negative values.

    Args:
        cam: Maps of shape (B, K, h, w).
        eps: Added to the maximum.
        how: ``'minmax'`` or ``'max'``.

    Returns:
        Maps of shape (B, K, h, w) in [0, 1).

    >>> normalize_cam(torch.tensor([[[[1.0, 2.0, 3.0]]]])).round(decimals=3).tolist()
    [[[[0.0, 0.5, 1.0]]]]
    """
    if how == 'minmax':
        cam = cam - cam.amin(dim=(-2, -1), keepdim=True)
    return cam / (cam.amax(dim=(-2, -1), keepdim=True) + eps)


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


def fuse_cams(
    per_scale: Sequence[_Pair],
    size: Sequence[int],
    fusion: CAMFusion = CAMFusion(),  # noqa: B008
) -> Tensor:
    """Fuses the raw maps of several scales and flips into one CAM.

    Args:
        per_scale: For each scale the raw maps (B, K, h, w) of the images and those of their mirror
            images, as these come; the latter may be None where ``fusion.flip`` is None.
        size: Height and width of the result.
        fusion: Which steps, and in which order.

    Returns:
        CAMs of shape (B, K, *size), float32 or wider.

    Raises:
        ValueError: If there is no scale, or the maps of mirror images are missing.

    >>> straight, mirrored = torch.tensor([[[[3.0, 0.0]]]]), torch.tensor([[[[2.0, 1.0]]]])
    >>> fuse_cams([(straight, mirrored)], (1, 2), CAMFusion(normalise=None))
    tensor([[[[3., 2.]]]])
    """
    if not per_scale:
        raise ValueError('expected the maps of at least one scale, received none')
    maps = torch.stack([_merged(*pair, size, fusion) for pair in per_scale])
    cam = maps.sum(dim=0) if fusion.over_scales == 'sum' else maps.amax(dim=0)
    return cam if fusion.normalise is None else normalize_cam(cam, fusion.eps, fusion.normalise)


def _merged(
    straight: Tensor, mirrored: Tensor | None, size: Sequence[int], fusion: CAMFusion
) -> Tensor:
    """The maps of one scale at the size of the result, flips merged."""
    raw = straight
    if fusion.flip:
        if mirrored is None:
            raise ValueError(
                f'multi_scale.flip: {fusion.flip!r} expects the maps of mirror images, received '
                'none; give them, or set flip=None'
            )
        raw = torch.cat((straight, mirrored))
    raw = at_least_float32(raw)
    if fusion.relu == 'raw':
        raw = raw.relu()
    grid = [-(-side // fusion.multiple) * fusion.multiple for side in size]
    maps = merge_flip(raw, grid, fusion.flip) if fusion.flip else _resized(raw, grid)
    maps = maps[..., : size[0], : size[1]]
    return maps.relu() if fusion.relu == 'merged' else maps


@overload
def multi_scale_cam(
    forward: Callable[[Tensor], Mapping[str, Tensor]],
    image: Tensor,
    scales: Sequence[float] = ...,
    identity: Mapping[str, Tensor] | None = ...,
    fusion: CAMFusion | Mapping[str, CAMFusion] = ...,
    *,
    min_size: int = ...,
    size: Sequence[int] | None = ...,
    tags: Tensor | None = ...,
    statistics: tuple[Tensor, Tensor] | None = ...,
) -> dict[str, Tensor]: ...


@overload
def multi_scale_cam(
    forward: Callable[[Tensor], Sequence[Tensor]],
    image: Tensor,
    scales: Sequence[float] = ...,
    identity: Sequence[Tensor] | None = ...,
    fusion: CAMFusion | Sequence[CAMFusion] = ...,
    *,
    min_size: int = ...,
    size: Sequence[int] | None = ...,
    tags: Tensor | None = ...,
    statistics: tuple[Tensor, Tensor] | None = ...,
) -> tuple[Tensor, ...]: ...


def multi_scale_cam(
    forward: Callable[[Tensor], Any],
    image: Tensor,
    scales: Sequence[float] = (1.0, 0.5, 1.5),
    identity: Any = None,
    fusion: Any = CAMFusion(),  # noqa: B008
    *,
    min_size: int = 1,
    size: Sequence[int] | None = None,
    tags: Tensor | None = None,
    statistics: tuple[Tensor, Tensor] | None = None,
) -> Any:
    """Normalised CAMs over scales and horizontal flips.

    By default the raw maps of image and mirror image at each scale are resized to the image, merged
    by their maximum and cut at zero; the sum over scales is normalised (ToCo's multi-scale CAM).
    Several kinds of maps with fusions of their own share one pass for each scaled image.

    Args:
        forward: Maps a batch of images to raw maps, each (B, K, h, w), by name or in a sequence.
        image: Normalised images of shape (B, 3, H, W).
        scales: Factors of the image size.
        identity: Raw maps of the image itself, if known; saves that part of the pass at scale 1.
        fusion: How maps are fused: one way for all, or one for each, by name or in a sequence.
        min_size: Smallest side of a scaled image (one patch); a smaller one is enlarged to it.
        size: Height and width of the CAMs; those of the image if None.
        tags: Classes of each image, (B, K), where those that no image has may be left out: their
            CAMs are zero.
        statistics: Mean and standard deviation of the images in grey levels of 0 to 255, each (3,);
            with them, bicubic resizing is that of the 8-bit pictures.

    Returns:
        As many CAMs as ``forward`` gives maps, each (B, K, *size), float32 or wider, by name if
        ``forward`` gives them by name, otherwise in a tuple.

    Raises:
        ValueError: If there is no scale, one is not positive, or a fusion or known map is missing.

    >>> cam, = multi_scale_cam(lambda x: (x[:, :1],), torch.rand(2, 3, 8, 8), scales=(1.0, 0.5))
    >>> cam.shape
    torch.Size([2, 1, 8, 8])
    >>> fusion = dict(a=CAMFusion(), b=CAMFusion(flip='sum', normalise='max'))
    >>> cams = multi_scale_cam(lambda x: dict(a=x, b=-x), torch.rand(2, 3, 8, 8), fusion=fusion)
    >>> sorted(cams)
    ['a', 'b']
    """
    if not scales or min(scales) <= 0:
        raise ValueError(f'multi_scale.scales: expected positive factors, received {tuple(scales)}')
    fusions = None if isinstance(fusion, CAMFusion) else _named(fusion)
    distinct = [fusion] if fusions is None else list(dict.fromkeys(fusions.values()))
    mirror = any(one.flip for one in distinct)
    passes: dict[_Pass, dict[Any, _Pair]] = {}
    for scale, one in itertools.product(scales, distinct):
        way = _pass(image, scale, one, min_size)
        if way not in passes:
            scaled = _scaled(image, way, statistics)
            passes[way] = _raw_pairs(forward, scaled, mirror, identity if scaled is image else None)
    names = list(next(iter(passes.values())))
    if fusions is not None and not set(names) <= set(fusions):
        raise ValueError(f'fusion: expected one for each of {names}, received {list(fusions)}')
    cams = {}
    for name in names:
        one = fusion if fusions is None else fusions[name]
        pairs = [passes[_pass(image, scale, one, min_size)][name] for scale in scales]
        cams[name] = _fuse_tagged(pairs, size or image.shape[-2:], one, tags)
    # The names of a sequence's maps are their places.
    return tuple(cams.values()) if 0 in cams else cams


def _named(maps: Any) -> dict[Any, Any]:
    return dict(maps) if isinstance(maps, Mapping) else dict(enumerate(maps))


def _pass(image: Tensor, scale: float, fusion: CAMFusion, min_size: int) -> _Pass:
    """What tells one scaled image from another; the image itself is not resized at all."""
    size = fusion.scaled_size(image.shape[-2:], scale, min_size)
    return size, None if size == tuple(image.shape[-2:]) else fusion.resize


def _scaled(image: Tensor, way: _Pass, statistics: tuple[Tensor, Tensor] | None) -> Tensor:
    size, resize = way
    if resize is None:
        return image
    if resize == 'bilinear':
        return F.interpolate(image, size, mode='bilinear', align_corners=False)
    if statistics is None:
        return F.interpolate(image, size, mode='bicubic', align_corners=False, antialias=True)
    return resize_as_picture(image, size, *statistics)


def _raw_pairs(
    forward: Callable[[Tensor], Any], image: Tensor, mirror: bool, identity: Any
) -> dict[Any, _Pair]:
    """Raw maps of images and of their mirror images (None without ``mirror``) by name."""
    if identity is not None:
        known = _named(identity)
        mirrored = _named(forward(image.flip(-1))) if mirror else dict.fromkeys(known)
        if set(known) != set(mirrored):
            raise ValueError(
                f'identity: expected the maps {list(mirrored)}, received {list(known)}'
            )
        return {name: (known[name], mirrored[name]) for name in mirrored}
    if not mirror:
        return {name: (raw, None) for name, raw in _named(forward(image)).items()}
    both = _named(forward(torch.cat((image, image.flip(-1)))))
    return {name: tuple(raw.chunk(2)) for name, raw in both.items()}


def _fuse_tagged(
    pairs: Sequence[_Pair], size: Sequence[int], fusion: CAMFusion, tags: Tensor | None
) -> Tensor:
    """Fuses the maps of the classes that some image has; those of the others are zero."""
    if tags is None:
        return fuse_cams(pairs, size, fusion)
    straight = pairs[0][0]
    present = tags.bool().any(dim=0).nonzero()[:, 0]
    cam = at_least_float32(straight).new_zeros((*straight.shape[:2], *size))
    if len(present):
        kept = [(one[:, present], two if two is None else two[:, present]) for one, two in pairs]
        cam[:, present] = fuse_cams(kept, size, fusion)
    return cam
