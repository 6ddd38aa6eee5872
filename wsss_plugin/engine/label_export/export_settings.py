"""What labels depend on, as values that can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.fingerprints import config_fingerprint, weights_fingerprint

_NOT_PARTS = ('data_preprocessor', 'terms', 'train_cfg', 'test_cfg', 'pretrained', 'init_cfg')


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
        Values for JSON: ``method``, ``config`` and ``checkpoint`` (digests, the latter
        of its weights), ``classes``, ``thresholds``, ``ignore``, ``count`` and ``list`` (SHA-256).
    """
    return {
        'method': {'type': type_name(model), 'parts': model_parts(model), **source.method},
        'config': config_fingerprint({'model': model, 'pipeline': images.pipeline}),
        'checkpoint': weights_fingerprint(checkpoint),
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
        if key in _NOT_PARTS or not isinstance(part, Mapping):
            continue
        inner = type_name(part) or model_parts(part)
        if inner:
            parts[key] = inner
    return parts
