"""Processes that end together."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from typing import Any


class ChildProcesses:
    """Processes started from several threads, which end together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen] = set()
        self._stopped = False

    def call(self, command: Sequence[str], **options: Any) -> int:
        """Runs a process to its end.

        Args:
            command: What to start.
            **options: Arguments of ``subprocess.Popen``.

        Returns:
            Its exit status.

        Raises:
            RuntimeError: If the processes were stopped before this one began.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError(f'all runs were stopped before {command} began; call it again')
            process = subprocess.Popen(command, **options)
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Ends what runs and starts nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()
