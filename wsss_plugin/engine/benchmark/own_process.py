"""Measurements in processes of their own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence


def measure_in_own_process(arguments: Sequence[str]) -> str:
    """Runs a Python script in a process of its own, so that its peak of memory is its own.

    A child inherits the peak of its parent: the caller measures before it needs memory itself.

    Args:
        arguments: The script and its arguments.

    Returns:
        The last line that it printed.

    Raises:
        RuntimeError: If the process fails; has its errors.

    >>> measure_in_own_process(['-c', 'print("loading"); print(3)'])
    '3'
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f'expected a measurement from {shlex.join(command)}, received {done.stderr}'
        )
    return done.stdout.splitlines()[-1]
