"""Weights that version 0.1 saved, under today's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

_Weight = TypeVar('_Weight')

# Where the parts of its segmentors are now.
_PREFIXES = {
    'cam_head.': 'cams.final.',
    'aux_cam_head.': 'cams.aux.',
    'cnn_cam_head.': 'cams.cnn.',
    'projection_head.': 'terms.ctc.projection_head.',
    'projection_ema.': 'terms.ctc.teacher.',
}


def is_version_0_1(weights: Mapping[str, Any]) -> bool:
    """Whether weights are those of a segmentor of version 0.1.

    Args:
        weights (Mapping): Weights by name.

    Returns:
        bool: Whether a name begins as only its segmentors' do.

    Examples:
        >>> is_version_0_1({'cam_head.classifier.weight': 0}), is_version_0_1({'cams.a.b': 0})
        (True, False)
    """
    return any(name.removeprefix('module.').startswith(tuple(_PREFIXES)) for name in weights)


def renamed_weights(weights: Mapping[str, _Weight]) -> dict[str, _Weight]:
    """Weights of version 0.1 under today's names; others stay as they are.

    Args:
        weights (Mapping): Weights by name, perhaps behind ``module.``.

    Returns:
        dict: The same weights by their present names.

    Examples:
        >>> list(renamed_weights({'aux_cam_head.classifier.weight': 0, 'decode_head.x': 0}))
        ['cams.aux.classifier.weight', 'decode_head.x']
    """
    return {_renamed(name): weight for name, weight in weights.items()}


def rename_when_loaded(
    _module: Any, state_dict: dict[str, Any], prefix: str, *_arguments: Any
) -> None:
    """A hook of ``register_load_state_dict_pre_hook`` by which weights of version 0.1 load.

    Args:
        _module (Any): The module that is loaded.
        state_dict (dict): Weights by name; changed in place.
        prefix (str): What stands before the module's own names.
        _arguments (Any): Others of torch's protocol.
    """
    own = {name: state_dict[name] for name in state_dict if name.startswith(prefix)}
    plain = {name.removeprefix(prefix): weight for name, weight in own.items()}
    if is_version_0_1(plain):
        for name in own:
            del state_dict[name]
        state_dict.update({prefix + name: w for name, w in renamed_weights(plain).items()})


def _renamed(name: str) -> str:
    wrapped = 'module.' if name.startswith('module.') else ''
    plain = name.removeprefix('module.')
    for old, new in _PREFIXES.items():
        if plain.startswith(old):
            return wrapped + new + plain.removeprefix(old)
    return name
