"""The registered classes of this package that are of one kind of part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmseg.registry import MODELS

import wsss_plugin  # noqa: F401  (registers its parts)
from wsss_plugin.models.terms import LossTerm


def registered(is_kind: Callable[[type], bool]) -> set[str]:
    """Names of the package's classes in the registry for which a condition holds."""
    return {
        name
        for name, kind in MODELS.module_dict.items()
        if isinstance(kind, type) and kind.__module__.startswith('wsss_plugin.') and is_kind(kind)
    }


def is_term(kind: type) -> bool:
    """Whether a class is a loss term."""
    return issubclass(kind, LossTerm)


def is_source(kind: type) -> bool:
    """Whether a class is a CAM source."""
    return hasattr(kind, 'raw') and hasattr(kind, 'reads_decoder')


def is_label_maker(kind: type) -> bool:
    """Whether a class is a label maker."""
    return hasattr(kind, 'make') and hasattr(kind, 'per_pixel')


def types_under_contract(names: Mapping[str, Any], contract: type, attribute: str) -> set[str]:
    """Types of the parts that a module's test classes stand for.

    Args:
        names: The module's names.
        contract: What each of the classes must inherit, without replacing a test of it.
        attribute: Where a class has the config of its part.
    """
    kinds = [kind for name, kind in names.items() if name.startswith('Test')]
    rules = {name for name in dir(contract) if name.startswith('test_')}
    for kind in kinds:
        assert issubclass(kind, contract), kind
        replaced = {name for name in rules if getattr(kind, name) is not getattr(contract, name)}
        assert not replaced, (kind, replaced)
    return {getattr(kind, attribute)['type'] for kind in kinds}
