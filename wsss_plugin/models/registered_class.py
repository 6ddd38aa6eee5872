"""The class that a part of a config names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmseg.registry import MODELS


def registered_class(config: Mapping[str, Any]) -> Any:
    """The class that ``type`` of a config names, without building it.

    Args:
        config: Has ``type``, a registered name or a class.

    Returns:
        The class.

    Raises:
        KeyError: If nothing is registered under the name.
    """
    kind = config.get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if found is None:
        raise KeyError(
            f'expected a registered model as type, received {kind!r}; check its spelling and '
            'custom_imports of the config'
        )
    return found
