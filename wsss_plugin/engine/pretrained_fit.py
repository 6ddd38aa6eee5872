"""Whether the files of pretrained weights named in ``init_cfg`` belong to their modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import nn

from wsss_plugin.engine.checkpoint_fit import (
    check_weights_fit,
    plain_weights,
    renamed_weights,
    unwrapped,
)
from wsss_plugin.engine.config_types import type_name

_LOADING = frozenset({'load_state_dict', 'load_checkpoint'})


def check_pretrained_fit(model: Any) -> None:
    """Checks that every file of ``init_cfg=dict(type='Pretrained')`` has all weights of its module.

    The toolbox warns of weights that a file lacks and leaves them random.

    Args:
        model (Any): The built model, wrapped or not.

    Raises:
        ValueError: If a weight is missing, has another shape or is not finite; names it, the file
            and the key of the config.
    """
    for name, module in unwrapped(model).named_modules():
        for place, part in _pretrained(getattr(module, 'init_cfg', None)):
            path = '.'.join(filter(None, ('model', name)))
            _check(module, part, f'{path}.init_cfg{place}.checkpoint')


def _pretrained(init_cfg: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    several = isinstance(init_cfg, list | tuple)
    for index, part in enumerate(init_cfg if several else [init_cfg]):
        if isinstance(part, Mapping) and type_name(part) in ('Pretrained', 'PretrainedInit'):
            yield f'.{index}' if several else '', part


def _check(module: nn.Module, part: Mapping[str, Any], key: str) -> None:
    source = f'{part["checkpoint"]} (config key {key})'
    loaded = CheckpointLoader.load_checkpoint(part['checkpoint'], map_location='cpu')
    weights = plain_weights(loaded)
    prefix = str(part.get('prefix') or '')
    if prefix:
        prefix = prefix if prefix.endswith('.') else f'{prefix}.'
        weights = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
    if _reads_by_itself(module):
        # Often without prefixes, and resized.
        weights = _behind_any_prefix(module, weights)
        check_weights_fit(module, weights, _last_parts(module), source)
    else:
        check_weights_fit(module, weights, source=source)


def _reads_by_itself(module: nn.Module) -> bool:
    """Whether the class loads the file in its own way, as some of the toolbox's backbones do."""
    own = [kind.__dict__.get('init_weights') for kind in type(module).__mro__]
    codes = [getattr(method, '__code__', None) for method in own]
    return any(code and _LOADING.intersection(code.co_names) for code in codes)


def _behind_any_prefix(module: nn.Module, weights: Mapping[str, Any]) -> dict[str, Any]:
    """The weights that the module may read, under its own names."""
    known = renamed_weights(module, weights)
    endings: dict[str, Any] = {}
    for name, weight in known.items():
        parts = name.split('.')
        for start in range(1, len(parts)):
            endings.setdefault('.'.join(parts[start:]), weight)
    return {**endings, **known}


def _last_parts(module: nn.Module) -> set[str]:
    return {name.rpartition('.')[2] for name in module.state_dict()}
