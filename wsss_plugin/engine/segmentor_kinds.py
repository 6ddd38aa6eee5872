"""What tools ask of a segmentor's config, without building the segmentor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_plugin.models.registered_class import registered_class

_PREDICTING = ('backbone', 'neck', 'decode_head')
_SETTINGS = ('data_preprocessor', 'train_cfg', 'test_cfg')
_PRETRAINED = ('pretrained', 'init_cfg')
_NOTHING: dict[str, Any] = {'segmentation': 'decode_head', 'cams': (), 'labels': ()}


def deployed(model: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The ordinary segmentor that predicts alone what a trained one predicts.

    Args:
        model (Mapping): ``model`` of a config.

    Returns:
        tuple: Its config, and the new prefix of the names of weights by the old one. A segmentor of
        MMSegmentation itself keeps what it predicts with, without pretrained weights.

    Raises:
        ValueError: If the segmentor cannot be deployed.
    """
    kind = registered_class(model)
    if hasattr(kind, 'deployed'):
        return kind.deployed(model)
    parts = [part for part in _PREDICTING if model.get(part) is not None]
    kept = {key: model[key] for key in ('type', *_SETTINGS, *parts) if model.get(key) is not None}
    for part in parts:
        own = {key: value for key, value in model[part].items() if key not in _PRETRAINED}
        kept[part] = own
    return kept, {f'{part}.': f'{part}.' for part in parts}


def predicts(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a segmentor predicts.

    Args:
        model (Mapping): ``model`` of a config.

    Returns:
        dict: ``segmentation``: 'decode_head' or 'cam'; ``cams`` and ``labels``: names, none for a
        segmentor of MMSegmentation.

    Examples:
        >>> predicts(dict(type='mmseg.EncoderDecoder'))['cams']
        ()
    """
    kind = registered_class(model)
    return kind.predicts(model) if hasattr(kind, 'predicts') else dict(_NOTHING)


def threshold_keys(model: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the background thresholds of a segmentor are.

    Args:
        model (Mapping): ``model`` of a config.

    Returns:
        tuple: Dotted keys, none for a segmentor of MMSegmentation.
    """
    kind = registered_class(model)
    return kind.threshold_keys(model) if hasattr(kind, 'threshold_keys') else ()
