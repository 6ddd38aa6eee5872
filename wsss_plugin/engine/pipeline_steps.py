"""The steps of a config that read an image for a prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.errors import ConfigError


def dataset_config(config: Config, split: str) -> Mapping[str, Any]:
    """The config of a data set that has a pipeline.

    Args:
        config: The config.
        split: 'train', 'val' or 'test', whose dataloader has the data set.

    Returns:
        Its config.

    Raises:
        ConfigError: If there is none, or one inside a wrapper.
    """
    dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
    if 'pipeline' not in dataset:
        raise ConfigError(
            f'{split}_dataloader.dataset: expected a data set with a pipeline, received '
            f'{type_name(dataset) or "none"}; name the data set itself, without a wrapper around it'
        )
    return dataset


def without_masks(pipeline: Sequence[Any]) -> list[Any]:
    """The steps without those that read masks, also among alternatives of a step.

    Args:
        pipeline: Configs of steps.

    Returns:
        Those that are left.

    >>> without_masks([dict(type='LoadAnnotations'), dict(type='PackWSSSInputs')])
    [{'type': 'PackWSSSInputs'}]
    """
    return _without(pipeline, lambda name: name == 'LoadAnnotations')


def without_files(pipeline: Sequence[Any]) -> list[Any]:
    """The steps for an image that is in memory and has no mask.

    Args:
        pipeline: Configs of steps.

    Returns:
        Those that read no file.

    >>> without_files([dict(type='LoadImageOrRaise'), dict(type='PackWSSSInputs')])
    [{'type': 'PackWSSSInputs'}]
    """
    return _without(pipeline, lambda name: name.startswith(('LoadImage', 'LoadAnnotations')))


def _without(pipeline: Sequence[Any], dropped: Callable[[str], bool]) -> list[Any]:
    kept: list[Any] = []
    for step in pipeline:
        if isinstance(step, Sequence):
            # Alternatives, of which none may be left.
            kept += [steps] if (steps := _without(step, dropped)) else []
        elif isinstance(step, Mapping) and 'transforms' in step:
            kept.append({**step, 'transforms': _without(step['transforms'], dropped)})
        elif not dropped(type_name(step)):
            kept.append(step)
    return kept
