"""Names of the types in a config, whichever way it writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
