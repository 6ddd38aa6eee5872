"""One run of stages in one folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsss_plugin.errors import ExistingFileError

LOCK_FILE = '.lock'
_PATIENCE = 30.0  # seconds, in which what a killed call has started ends
_PAUSE = 0.1


@contextmanager
def work_lock(folder: Path, patience: float = _PATIENCE) -> Iterator[int]:
    """Keeps others out of a folder until this process and those that got the lock have ended.

    The system gives it back whatever ends a process.

    Args:
        folder: The folder; it is made.
        patience: Seconds to wait for the end of another one.

    Yields:
        int: The open file, for the processes that shall have the lock too.

    Raises:
        ExistingFileError: If another one works there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, folder, patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, folder: Path, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                holder = os.pread(descriptor, 20, 0).decode() or 'unknown'
                raise ExistingFileError(
                    f'{folder}: expected no other run of stages there, received one that process '
                    f'{holder} began and that goes on; wait for its end, or choose another '
                    '--work-dir'
                ) from None
            time.sleep(_PAUSE)
