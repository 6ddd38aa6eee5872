"""What labels depend on, as values that can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_plugin.engine.config_types import type_name

# Weights come from the checkpoint, wherever the training took them from.
_PRETRAINED = ('pretrained', 'init_cfg')
_NOT_PARTS = ('data_preprocessor', 'terms', 'train_cfg', 'test_cfg')


def export_settings(
    model: Mapping[str, Any],
    checkpoint: str,
    source: Any,
    images: Any,
    ignore: int,
) -> dict[str, Any]:
    """Describes an export; where two descriptions are the same, so are the labels.

    Args:
        model: ``model`` of the config.
        checkpoint: The checkpoint file.
        source: What labels an image, such as ``CAMLabels``.
        images: The images, such as ``ListedImages``.
        ignore: Value of pixels without label.

    Returns:
        Values for JSON: ``method``, ``config`` and ``checkpoint`` (SHA-256), ``classes``,
        ``thresholds``, ``ignore``, ``count`` and ``list`` (SHA-256).
    """
    return {
        'method': {'type': type_name(model), 'parts': model_parts(model), **source.method},
        'config': config_fingerprint({'model': model, 'pipeline': images.pipeline}),
        'checkpoint': file_fingerprint(checkpoint),
        'classes': list(images.classes),
        'thresholds': source.thresholds,
        'ignore': ignore,
        'count': len(images.names),
        'list': hashlib.sha256('\n'.join(images.names).encode()).hexdigest(),
    }


def model_parts(model: Mapping[str, Any]) -> dict[str, Any]:
    """The types of the parts that a model predicts with.

    Args:
        model: ``model`` of a config.

    Returns:
        Types by name, those of dicts of parts one level deeper.

    >>> model_parts(dict(type='A', backbone=dict(type='B'), cams=dict(final=dict(type='C'))))
    {'backbone': 'B', 'cams': {'final': 'C'}}
    """
    parts: dict[str, Any] = {}
    for key, part in model.items():
        if key in _NOT_PARTS or key in _PRETRAINED or not isinstance(part, Mapping):
            continue
        inner = type_name(part) or model_parts(part)
        if inner:
            parts[key] = inner
    return parts


def config_fingerprint(part: Any) -> str:
    """SHA-256 of what a part of a config says, without where its pretrained weights are.

    Args:
        part: Part of a config.

    Returns:
        64 hexadecimal digits.

    >>> config_fingerprint({'a': 1, 'b': (2,)}) == config_fingerprint({'b': [2], 'a': 1})
    True
    """
    return hashlib.sha256(json.dumps(_plain(part), sort_keys=True).encode()).hexdigest()


def file_fingerprint(path: str | Path) -> str:
    """SHA-256 of a file.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items() if key not in _PRETRAINED}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    # Classes and functions of new-style configs.
    return (
        f'{value.__module__}.{value.__qualname__}' if hasattr(value, '__qualname__') else str(value)
    )
