"""What the types in a config are, whichever way it writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry


def type_name(part: Mapping[str, Any]) -> str:
    """Returns the bare name of the ``type`` of a part of a config.

    Args:
        part (Mapping): May have ``type``: a registered name, perhaps behind a scope or a module,
            or a class, as in MMEngine's new-style configs.

    Returns:
        str: The name, empty without a type.

    Examples:
        >>> type_name({'type': 'mmseg.ResNet'}), type_name({'type': dict}), type_name({})
        ('ResNet', 'dict', '')
    """
    kind = part.get('type', '')
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')


def is_kind(part: Mapping[str, Any], name: str, registry: Registry) -> bool:
    """Returns whether the ``type`` of a part of a config is a registered class or a subclass.

    Args:
        part (Mapping): May have ``type``, as for :func:`type_name`.
        name (str): Registered name of the class.
        registry (Registry): Where the class is, and the type if it is a name.

    Returns:
        bool: False without a type, and for a type that nothing is registered as.

    Examples:
        >>> from mmseg.registry import HOOKS
        >>> is_kind({'type': 'SafeCheckpointHook'}, 'SafeCheckpointHook', HOOKS)
        True
        >>> is_kind({'type': 'EMAHook'}, 'SafeCheckpointHook', HOOKS)
        False
    """
    given, wanted = part.get('type'), registry.get(name)
    kind = registry.get(given) if isinstance(given, str) else given
    return isinstance(kind, type) and wanted is not None and issubclass(kind, wanted)
