"""What every benchmark says of itself."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from wsss_plugin.engine.machine import describe_machine
from wsss_plugin.whole_file import whole_file


def report_head(tool: str, arguments: Sequence[str], threads: int, device: str = 'cpu') -> str:
    """Markdown lines with the hardware and the command.

    Args:
        tool: File name of the tool.
        arguments: Its command line.
        threads: Threads that were used.
        device: Where it ran.

    >>> report_head('benchmark_par.py', ['--size', '32'], 1).splitlines()[-1]
    'Command: `python tools/benchmark_par.py --size 32`  '
    """
    return (
        f'Hardware: {describe_machine(threads)}; device {device}  \n'
        f'Command: `{shlex.join(["python", f"tools/{tool}", *arguments])}`  \n'
    )


def publish(report: str, out: str | Path | None) -> None:
    """Prints a report and writes it to a file, where one is named.

    Args:
        report: Markdown.
        out: The file, None for none.

    Raises:
        OSError: If it cannot be written.
    """
    print(report)
    if out:
        with whole_file(out) as file:
            file.write(report.encode())


def say_progress(text: str) -> None:
    """Says what is measured now, on the error stream, which keeps it out of reports."""
    print(f'benchmark: {text}', file=sys.stderr, flush=True)
