"""CAMs of a segmentor over several scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.backbones import smallest_side
from wsss_plugin.models.fixed_statistics import fixed_statistics
from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.phase_plan import features_of
from wsss_plugin.models.without_gradient import without_gradient
from wsss_plugin.ops.cam import multi_scale_cam
from wsss_plugin.ops.cam_fusion import CAMFusion


def multi_scale_cams(
    model: Any,
    main: ForwardPass,
    names: Sequence[str],
    options: Mapping[str, Any],
    classes: Tensor | None = None,
) -> dict[str, Tensor]:
    """Normalised CAMs over all scales with flip, without gradient.

    The backbone runs once a scale for all sources with the same scales. The map of a source that is
    ``finished`` is the CAM as it is.

    Args:
        model: The segmentor.
        main: The pass of the images themselves, whose raw CAMs are used at scale 1 if it has begun.
        names: Which sources.
        options: ``scales``, ``chunk_size`` (how many images, mirror images among them, the backbone
            sees at once; all by default), ``present_only`` (whether maps of classes that no image
            of the batch has are zero, where the tags are known; False by default) and how maps are
            fused; a source may override scales and fusion.
        classes: Indices (N,) of the classes that are asked for; None for all.

    Returns:
        CAMs (B, K, H, W) in [0, 1] by name, of N in place of K classes where these are given.
    """
    finished = [name for name in names if getattr(model.cams[name], 'finished', False)]
    names = [name for name in names if name not in finished]
    with without_gradient():
        cams = {name: _chosen(main.raw(name).detach(), classes) for name in finished}
    shared = {key: value for key, value in options.items() if key != 'scales'}
    for scales, members in by_scales(model, names, options['scales']).items():
        cams.update(_fused(model, main, members, scales, shared, classes))
    return cams


def by_scales(
    model: Any, names: Sequence[str], scales: Sequence[float]
) -> dict[tuple[float, ...], list[str]]:
    """CAM sources by the scales of their CAMs.

    Args:
        model: The segmentor.
        names: Names of the sources.
        scales: Scales of those that have none of their own in ``multi_scale``.

    Returns:
        Names by scales.
    """
    groups: dict[tuple[float, ...], list[str]] = {}
    for name in names:
        own = model.cams[name].multi_scale.get('scales', scales)
        groups.setdefault(tuple(own), []).append(name)
    return groups


def _fused(
    model: Any,
    main: ForwardPass,
    names: Sequence[str],
    scales: Sequence[float],
    options: Mapping[str, Any],
    classes: Tensor | None,
) -> dict[str, Tensor]:
    features = features_of(model, names)

    def raw_cams(image: Tensor) -> dict[str, Tensor]:
        tags = main.tags
        if tags is not None and len(tags):
            tags = tags.repeat(len(image) // len(tags), 1)
        return _in_chunks(raw_of, image, tags, chunk_size)

    def raw_of(image: Tensor, tags: Tensor | None) -> dict[str, Tensor]:
        scaled = ForwardPass(model, image, tags, features)
        return {name: _chosen(scaled.raw(name), classes) for name in names}

    fusion = dict(options)
    chunk_size, present_only = fusion.pop('chunk_size', None), fusion.pop('present_only', False)
    known = None
    if 1 in scales and main.begun:
        known = {name: _chosen(main.raw(name).detach(), classes) for name in names}
    with without_gradient(), fixed_statistics(model):
        return multi_scale_cam(
            raw_cams,
            main.image,
            scales,
            known,
            {name: fusion_of(model.cams[name], fusion) for name in names},
            min_size=smallest_side(model.backbone),
            tags=main.tags if present_only and classes is None else None,
        )


def _chosen(maps: Tensor, classes: Tensor | None) -> Tensor:
    return maps if classes is None else maps[:, classes]


def _in_chunks(
    raw_of: Callable[[Tensor, Tensor | None], dict[str, Tensor]],
    image: Tensor,
    tags: Tensor | None,
    chunk_size: int | None,
) -> dict[str, Tensor]:
    """Raw maps of a batch, of which only some images are seen at once."""
    if chunk_size is None or len(image) <= chunk_size:
        return raw_of(image, tags)
    images = image.split(chunk_size)
    parts = [None] * len(images) if tags is None else tags.split(chunk_size)
    found = [raw_of(one, of_one) for one, of_one in zip(images, parts, strict=True)]
    return {name: torch.cat([maps[name] for maps in found]) for name in found[0]}


def check_multi_scale(model: Any) -> None:
    """Checks how CAMs over several scales are made, when a segmentor is built.

    Args:
        model: The segmentor, of which ``test_cfg`` may have a ``multi_scale`` of its own.

    Raises:
        ValueError: If a scale or ``chunk_size`` is not positive, or a key or a value is unknown.
    """
    at_test = model.test_cfg.get('multi_scale') or {}
    for key, options in {'multi_scale': {}, 'test_cfg.multi_scale': at_test}.items():
        shared = {**model.multi_scale, **options}
        _check_scales(shared.pop('scales'), key)
        chunk_size = shared.pop('chunk_size', None)
        if not isinstance(shared.pop('present_only', False), bool):
            raise ConfigError(f'expected {key}.present_only as True or False')
        if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
            raise ConfigError(
                f'expected {key}.chunk_size as a number of images from 1, or None for all, '
                f'received {chunk_size!r}'
            )
        CAMFusion().replaced(shared, key)
        for name, source in model.cams.items():
            fusion_of(source, shared, f'cams.{name}.multi_scale')
            _check_scales(source.multi_scale.get('scales', (1.0,)), f'cams.{name}.multi_scale')


def _check_scales(scales: Sequence[float], key: str) -> None:
    if not scales or min(scales) <= 0:
        raise ValueError(f'expected positive {key}.scales, received {tuple(scales)}')


def fusion_of(
    source: Any, shared: Mapping[str, Any], key: str = 'multi_scale of a CAM source'
) -> CAMFusion:
    """How the maps of a CAM source are fused.

    Args:
        source: The source, whose ``multi_scale`` comes first.
        shared: What holds where it says nothing.
        key: Key of the source's ``multi_scale`` in the config, for the error.

    Returns:
        The steps.

    Raises:
        ValueError: If a key or a value is unknown.
    """
    own = {name: value for name, value in source.multi_scale.items() if name != 'scales'}
    return CAMFusion().replaced(shared).replaced(own, key)
