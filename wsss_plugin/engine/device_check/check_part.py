"""A part of a check, which is run in a process of its own and ended when its time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.whole_file import write_json, write_text

_LEAST_SECONDS = 5
_LAST_LINES = 3


@dataclass(frozen=True)
class CheckPart:
    """A command with the time that it may take.

    Args:
        name: Of the part and of its files.
        command: The command.
        seconds: Longest time.
        environment: Variables that differ from this process's.
    """

    name: str
    command: Sequence[str]
    seconds: float
    environment: Mapping[str, str] | None = None

    def run(self, folder: Path, seconds: float) -> dict[str, Any]:
        """Runs the command; what it prints goes to NAME.log.

        Args:
            folder: Folder of the results, in which the command may write NAME.json.
            seconds: Time that is left for all parts.

        Returns:
            ``part``, ``state`` ('done', 'failed', 'out of time' or 'no time left'),
            ``seconds``, ``results`` of the command and, unless it is done, the last ``lines``.
        """
        allowed = min(self.seconds, seconds)
        if allowed < _LEAST_SECONDS:
            return {'part': self.name, 'state': 'no time left', 'seconds': 0.0, 'results': {}}
        log = folder / f'{self.name}.log'
        began = time.monotonic()
        with open(log, 'w', encoding='utf-8') as file:
            state = self._state(file, allowed)
        found = {'part': self.name, 'state': state, 'seconds': time.monotonic() - began}
        results = folder / f'{self.name}.json'
        found['results'] = read_json(results) if results.is_file() else {}
        if state != 'done':
            lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
            found['lines'] = lines[-_LAST_LINES:]
        return found

    def _state(self, file: Any, seconds: float) -> str:
        process = subprocess.Popen(
            self.command,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Unbuffered, or the log ends in another order than what was printed.
            env={**os.environ, 'PYTHONUNBUFFERED': '1', **(self.environment or {})},
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return 'out of time'
        finally:
            # Also what the command has started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return 'failed' if code else 'done'


def run_parts(
    parts: Sequence[CheckPart],
    folder: Path,
    seconds: float,
    report: Callable[[Sequence[Mapping[str, Any]]], str],
) -> list[dict[str, Any]]:
    """Runs parts in their order, and writes all results after each of them.

    Args:
        parts: The parts, the most important first.
        folder: Gets results.json and report.md.
        seconds: Longest time of all parts together.
        report: Makes Markdown of what is found so far.

    Returns:
        What each part has found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    found: list[dict[str, Any]] = []
    for part in parts:
        (folder / f'{part.name}.json').unlink(missing_ok=True)
        found.append(part.run(folder, end - time.monotonic()))
        print(f'{part.name}: {found[-1]["state"]} after {found[-1]["seconds"]:.0f} s', flush=True)
        write_json(folder / 'results.json', found)
        write_text(folder / 'report.md', report(found))
    return found
