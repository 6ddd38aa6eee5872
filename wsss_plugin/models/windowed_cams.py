"""CAMs of large images, by windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.backbones import smallest_side
from wsss_plugin.models.fixed_statistics import fixed_statistics
from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.multi_scale_cams import by_scales, fusion_of
from wsss_plugin.models.phase_plan import features_of
from wsss_plugin.models.without_gradient import without_gradient
from wsss_plugin.ops.cam import multi_scale_cam, normalize_cam


def windowed_cams(
    model: Any,
    image: Tensor,
    tags: Tensor,
    names: Sequence[str],
    options: Mapping[str, Any],
    window: int,
    stride: int,
) -> list[Tensor]:
    """Normalised CAMs of one image that the network sees in windows only, without gradient.

    Maps of a window are fused over scales and flips as :func:`multi_scale_cams` does, but stay
    as large as they are; they are averaged where windows overlap, and normalised over the whole
    image. The device holds one window; the result is on the CPU.

    Args:
        model: The segmentor.
        image: Normalised image (1, 3, H, W).
        tags: Multi-hot tags (1, K).
        names: Which CAM sources.
        options: ``scales`` and how maps are fused, of the segmentor.
        window: Side of a window in pixels.
        stride: Distance between windows in pixels.

    Returns:
        CAMs (1, N, H, W) in [0, 1] of the N classes that are tagged, for each name.

    Raises:
        ConfigError: If the stride does not fit the window, or a source has its CAM from elsewhere.
    """
    check_window(window, stride)
    finished = [name for name in names if getattr(model.cams[name], 'finished', False)]
    if finished:
        raise ConfigError(
            f'expected CAMs of the network for windows, received {finished}, which are made '
            'elsewhere; leave --window out'
        )
    of_passes = ('scales', 'chunk_size', 'present_only')
    shared = {key: value for key, value in options.items() if key not in of_passes}
    fusions = {name: fusion_of(model.cams[name], shared) for name in names}
    as_large = {name: one.replaced({'normalise': None}) for name, one in fusions.items()}
    groups = by_scales(model, names, options['scales'])
    present = tags[0].bool().cpu()
    size = tuple(image.shape[-2:])
    sums = torch.zeros(len(names), int(present.sum()), *size)
    counts = torch.zeros(size)

    def raw_cams(part: Tensor, members: Sequence[str]) -> dict[str, Tensor]:
        features = features_of(model, members)
        scaled = ForwardPass(model, part, tags.repeat(len(part), 1), features)
        return {name: scaled.raw(name) for name in members}

    with without_gradient(), fixed_statistics(model):
        for rows, columns in _windows(size, window, stride):
            maps: dict[str, Tensor] = {}
            for scales, members in groups.items():
                found = multi_scale_cam(
                    partial(raw_cams, members=members),
                    image[..., rows, columns],
                    scales,
                    fusion={name: as_large[name] for name in members},
                    min_size=smallest_side(model.backbone),
                    tags=tags,
                )
                maps.update(found)
            counts[rows, columns] += 1
            for total, name in zip(sums, names, strict=True):
                total[:, rows, columns] += maps[name][0].cpu()[present]
    means = sums.div_(counts)
    return [
        mean[None] if one.normalise is None else normalize_cam(mean[None], one.eps, one.normalise)
        for mean, one in zip(means, fusions.values(), strict=True)
    ]


def check_window(window: int, stride: int) -> None:
    """Checks that windows cover an image.

    Args:
        window: Side of a window in pixels.
        stride: Distance between windows in pixels.

    Raises:
        ConfigError: If ``0 < stride <= window`` does not hold.
    """
    if not 0 < stride <= window:
        raise ConfigError(
            f'expected 0 < --stride <= --window, received a stride of {stride} and a window of '
            f'{window} pixels; two thirds of the window are usual'
        )


def _windows(size: Sequence[int], window: int, stride: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of each window; the last ones end with the image."""
    for row in window_starts(size[0], window, stride):
        for column in window_starts(size[1], window, stride):
            yield slice(row, row + window), slice(column, column + window)


def window_starts(side: int, window: int, stride: int) -> list[int]:
    """Where windows begin that cover a side; the last one ends with it.

    Args:
        side: Length in pixels.
        window: Side of a window in pixels.
        stride: Distance between windows in pixels.

    Returns:
        The first pixel of each.

    >>> window_starts(10, 4, 3), window_starts(11, 4, 3), window_starts(3, 4, 3)
    ([0, 3, 6], [0, 3, 6, 7], [0])
    """
    last = max(side - window, 0)
    return [min(start, last) for start in range(0, last + stride, stride)]
