"""Reads the text of a config without running it."""

from __future__ import annotations

import ast
import math
from typing import Any

from mmengine.config import Config

_NAMES = {'inf': math.inf, 'nan': math.nan}


def parse_config_text(text: str, source: str = 'the checkpoint') -> Config:
    """Parses the text of a config that holds values only, as ``Config.pretty_text`` writes it.

    A checkpoint has such a text in ``meta.cfg``. It comes with the file, from whoever made it, so
    that nothing in it is run.

    Args:
        text (str): Assignments of literals and of ``dict(...)``.
        source (str): Where it comes from, for the error.

    Returns:
        Config: Its values.

    Raises:
        ValueError: If it holds anything else; names the line.

    Examples:
        >>> parse_config_text('a = dict(b=[1, -2.0])').a.b
        [1, -2.0]
    """
    if not isinstance(text, str):
        raise ValueError(
            f'expected the text of a config in {source}, received a {type(text).__name__}; name '
            'the config of its training instead'
        )
    values: dict[str, Any] = {}
    try:
        for statement in ast.parse(text).body:
            name = _assigned_name(statement)
            values[name] = _value(statement.value)  # type: ignore[attr-defined]
        return Config(values)
    except (SyntaxError, KeyError, ValueError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError(
            f'expected values only in the config of {source}, such as `a = dict(b=1)`, received '
            f'other text, which is not run ({str(error)[:120] or type(error).__name__}); name the '
            'config of its training instead'
        ) from error


def _assigned_name(statement: ast.stmt) -> str:
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    ):
        return statement.targets[0].id
    raise _refusal(statement)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and node.value is not Ellipsis:
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [_value(item) for item in node.elts]
        kinds = {ast.List: list, ast.Tuple: tuple, ast.Set: set}
        return kinds[type(node)](items)  # type: ignore[index]
    if isinstance(node, ast.Dict):
        return _mapping(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _called(node)
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _value(node.operand)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number if isinstance(node.op, ast.USub) else number
    raise _refusal(node)


def _mapping(node: ast.Dict) -> dict[Any, Any]:
    if None in node.keys:
        raise _refusal(node)
    return {
        _value(key): _value(item) for key, item in zip(node.keys, node.values, strict=True) if key
    }


def _called(node: ast.Call) -> Any:
    """``dict(a=1)``, ``dict({...})``, and the empty ``set()``, which has no literal."""
    name = node.func.id if isinstance(node.func, ast.Name) else ''
    if name == 'set' and not node.args and not node.keywords:
        return set()
    plain = all(keyword.arg for keyword in node.keywords)
    mappings = [_mapping(item) for item in node.args if isinstance(item, ast.Dict)]
    if name != 'dict' or not plain or len(node.args) > 1 or len(mappings) != len(node.args):
        raise _refusal(node)
    keywords = {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    return {**(mappings[0] if mappings else {}), **keywords}


def _refusal(node: ast.AST) -> ValueError:
    return ValueError(f'line {getattr(node, "lineno", "?")}: {type(node).__name__}')
