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

    >>> list(build_parts(dict(b=dict(type='PAR'), a=dict(type='PAR'), c=None), 'heads'))
    ['a', 'b']
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


def build_decode_head(config: Mapping[str, Any] | None) -> Any:
    """Builds the decode head, whose loss is that of a term.

    Args:
        config: Its config, or None.

    Returns:
        The decode head, or None.

    Raises:
        ValueError: If the config has a loss of its own, which would not be used.
    """
    if config is None:
        return None
    if 'loss_decode' in config:
        raise ValueError(
            'expected the loss of the decode head in a term, as terms=dict(seg=dict('
            "type='SegmentationTerm', labels=..., loss=...)), received model.decode_head."
            'loss_decode; move it there, and its loss_weight to weight of the term'
        )
    # MMSegmentation builds one; this is its default but for a warning.
    unused = dict(type='CrossEntropyLoss', avg_non_ignore=True)
    return MODELS.build({**config, 'loss_decode': unused})


def foreground_classes(decode_head: Any, cams: Mapping[str, Any], heads: Any) -> int:
    """The number of foreground classes of a segmentor.

    Args:
        decode_head: Its decode head, or None.
        cams: Its CAM sources by name.
        heads: Configs of its further heads.

    Returns:
        The number; 0 where it predicts nothing.

    Raises:
        ValueError: If nothing predicts.
    """
    if decode_head is not None:
        return decode_head.num_classes - 1
    if 'final' in cams:
        return cams['final'].num_classes
    if cams or not heads:
        raise ValueError(
            'expected a decode head, or a CAM source called final that predicts, in model, '
            f'received decode_head=None and cams={list(cams)}'
        )
    return 0
