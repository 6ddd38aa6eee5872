"""What a stage starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool of this package.

    Attributes:
        script: File name of the tool.
        positional: Its arguments without a name.
        options: The others.
        several: Whether it can run in several processes.
    """

    script: str
    positional: Sequence[str]
    options: Sequence[str] = ()
    several: bool = True

    def command(self, tools: Path, processes: int) -> list[str]:
        """The command, on several processes by the launcher of ``dist_train.sh``.

        Args:
            tools: Folder of the tools.
            processes: Number of processes.

        Returns:
            The command and its arguments.
        """
        if processes == 1 or not self.several:
            return [sys.executable, str(tools / self.script), *self.positional, *self.options]
        launcher = ['bash', str(tools / 'dist_run.sh'), self.script, str(len(self.positional))]
        return [*launcher, *self.positional, str(processes), *self.options]


def tool_environment() -> dict[str, str]:
    """The environment of a tool: that of this process, and its Python for the launcher."""
    return {**os.environ, 'PYTHON': sys.executable}


def named_arguments(values: Mapping[str, Any]) -> list[str]:
    """Arguments with names, from values by name.

    Args:
        values: True for an argument without a value, False or None for none, a sequence for
            several values.

    Returns:
        The arguments.

    >>> named_arguments({'no_tags': True, 'low': 0.2, 'cams': ['a', 'b'], 'list': None})
    ['--no-tags', '--low', '0.2', '--cams', 'a', 'b']
    """
    arguments = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        arguments.append(f'--{name.replace("_", "-")}')
        if value is not True:
            several = isinstance(value, list | tuple)
            arguments += [str(one) for one in (value if several else [value])]
    return arguments
