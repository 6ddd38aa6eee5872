"""Evaluates a config anew with other values of the variables in its files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mmengine.config import Config, ConfigDict

from wsss_plugin.errors import ConfigError, received

_BASE = '_base_'
# Named by a config that others inherit from: what they may set anew.
INHERITED = 'variables'


@dataclass(frozen=True)
class ConfigFile:
    """A file of a config.

    Attributes:
        path: Where it is.
        text: Its text.
        bases: The files that it inherits from, in their order; those of this package also where
            they are named ``wsss_plugin::...``, but none of another package.
        values: Places of the values that are assigned at its top level, by name: first and last
            line from 0, first and last column in bytes.
    """

    path: Path
    text: str
    bases: tuple[ConfigFile, ...]
    values: Mapping[str, list[tuple[int, int, int, int]]]

    @classmethod
    def read(cls, path: str | Path) -> ConfigFile:
        """Reads a file and those that it inherits from.

        Args:
            path: The file.

        Returns:
            The file.
        """
        path = Path(path)
        text = path.read_text(encoding='utf-8')
        if path.suffix != '.py':
            return cls(path, text, (), {})
        values: dict[str, list[tuple[int, int, int, int]]] = {}
        names: list[str] = []
        for node in ast.parse(text).body:
            if not isinstance(node, ast.Assign):
                continue
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(_place(node.value))
                    if target.id == _BASE:
                        given = ast.literal_eval(node.value)
                        names = [given] if isinstance(given, str) else list(given)
        own = [place for name in names if (place := _own_place(name, path)) is not None]
        return cls(path, text, tuple(map(cls.read, own)), values)

    def every(self) -> Iterator[ConfigFile]:
        """Itself and all that it inherits from."""
        yield self
        for base in self.bases:
            yield from base.every()

    def assigns(self, name: str) -> bool:
        """Whether one of its files assigns a variable."""
        return any(name in file.values for file in self.every())

    def write(self, folder: Path, values: Mapping[str, str]) -> Path:
        """Writes it and its bases with other values.

        Args:
            folder: An empty folder.
            values: Python expressions by the names of variables.

        Returns:
            The file.
        """
        if self.path.suffix != '.py':
            return self.path.resolve()
        changes = [
            (place, values[name])
            for name in values
            for place in self.values.get(name, ())
            if name != _BASE
        ]
        if own := [base.write(folder / str(i), values) for i, base in enumerate(self.bases)]:
            changes += [(place, self._base_names(own)) for place in self.values[_BASE]]
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / self.path.name
        target.write_text(_replaced(self.text, changes), encoding='utf-8')
        return target

    def _base_names(self, own: list[Path]) -> str:
        lines = self.text.encode().splitlines(keepends=True)
        first, last, start, end = self.values[_BASE][-1]
        chosen = lines[first : last + 1]
        chosen[-1] = chosen[-1][:end]
        chosen[0] = chosen[0][start:]
        given = ast.literal_eval(b''.join(chosen).decode())
        left = iter(own)
        names = [given] if isinstance(given, str) else given
        return repr(
            [name if _own_place(name, self.path) is None else str(next(left)) for name in names]
        )


def _own_place(name: str, path: Path) -> str | None:
    """Where a base is, None for one of another package, whose parts have a scope of their own."""
    place, scope = Config._get_cfg_path(name, str(path))
    return place if scope is None else None


def _place(node: ast.expr) -> tuple[int, int, int, int]:
    last = node.end_lineno or node.lineno
    return node.lineno - 1, last - 1, node.col_offset, node.end_col_offset or 0


def _replaced(text: str, changes: list[tuple[tuple[int, int, int, int], str]]) -> str:
    lines = text.encode().splitlines(keepends=True)
    for (first, last, start, end), value in sorted(changes, reverse=True):
        whole = lines[first][:start] + value.encode() + lines[last][end:]
        lines[first : last + 1] = [whole]
    return b''.join(lines).decode()


def evaluate(path: str | Path, values: Mapping[str, Any]) -> Config:
    """Reads a config as if its files assigned other values to some of their variables.

    What the files compute of these follows. A variable that several files assign has the value in
    each.

    Args:
        path: The file.
        values: Values by the names of variables.

    Returns:
        The config.

    Raises:
        ConfigError: If a value cannot be written as Python.
    """
    written = {name: _expression(name, value) for name, value in values.items()}
    files = ConfigFile.read(path)
    if any('read_base' in file.text for file in files.every()):
        raise ConfigError(
            f'{", ".join(values)}: expected a config with _base_, received {path} with read_base, '
            'whose variables stay as they are; set the keys that follow from them'
        )
    with TemporaryDirectory() as folder:
        changed = files.write(Path(folder), written)
        config = Config.fromfile(changed)
    # A config keeps attributes that are set in the usual way among its keys.
    object.__setattr__(config, '_filename', str(path))
    return config


def _expression(name: str, value: Any) -> str:
    text = repr(plain(value))
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise ConfigError(
            f'{name}: expected numbers, texts, lists and dicts, received {received(value)}; write '
            'it into the config'
        ) from None
    return text


def plain(value: Any) -> Any:
    """A value of a config without the classes of MMEngine.

    Args:
        value: The value.

    Returns:
        Dicts, lists, tuples and what is in them.

    >>> plain(ConfigDict(a=[ConfigDict(b=1)]))
    {'a': [{'b': 1}]}
    """
    if isinstance(value, ConfigDict):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, list | tuple) else value


def inherited_values(path: str | Path, config: Config) -> dict[str, Any]:
    """What a config sets anew of the variables that one of its bases names for that.

    Args:
        path: The file.
        config: The config that it gives by itself.

    Returns:
        Values by name, none where nothing follows from them yet.
    """
    found: dict[str, Any] = {}
    if not (names := config.get(INHERITED)):
        return found
    leaf = ConfigFile.read(path)
    for name in names:
        assigning = [file for file in leaf.every() if name in file.values]
        if any(INHERITED not in file.values for file in assigning):
            found[name] = config[name]
    return found
