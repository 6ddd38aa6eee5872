"""Builds the named parts of a segmentor in an order that no config file can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import ModuleDict
from mmseg.registry import MODELS


def build_parts(
    configs: Mapping[str, Any] | None, key: str, defaults: Mapping[str, Any] | None = None
) -> ModuleDict:
    """Builds parts by sorted name, since MMEngine sorts keys where it writes a config.

    Args:
        configs: Configs by name; None in place of a part leaves it out.
        key: Key of the config that holds them, for errors.
        defaults: Arguments of every part that does not give them itself.

    Returns:
        The modules by name.

    Raises:
        ValueError: If a name cannot be that of a module.
        TypeError: If a part is not a config.

    >>> build_parts(dict(b=dict(type='PAR'), a=dict(type='PAR'), c=None), 'heads').keys()
    odict_keys(['a', 'b'])
    """
    given = {name: config for name, config in (configs or {}).items() if config is not None}
    for name, config in given.items():
        _check_name(name, key)
        if not isinstance(config, Mapping) or 'type' not in config:
            raise TypeError(
                f'expected model.{key}.{name} to be a dict with type, received {config!r}; leave a '
                'part out by None'
            )
    return ModuleDict(
        {name: MODELS.build({**(defaults or {}), **given[name]}) for name in sorted(given)}
    )


def _check_name(name: Any, key: str) -> None:
    refused = not isinstance(name, str) or not name or '.' in name or hasattr(ModuleDict(), name)
    if refused:
        raise ValueError(
            f'expected names without dots in model.{key} that no attribute of a ModuleDict has, '
            f'received {name!r}; choose another name'
        )
