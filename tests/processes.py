"""Parts of a test in copies of its process, which import nothing again."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path


def run_forked(parts: Sequence[Callable[[], object]], folder: Path, timeout: float = 300.0) -> None:
    """Runs functions at the same time, each in a copy of this process; all must succeed.

    Args:
        parts: The functions.
        folder: Where is written what they print.
        timeout: Seconds until they must have ended.

    Raises:
        AssertionError: If one fails or does not end, with what it printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    logs = [folder / f'process_{index}.log' for index in range(len(parts))]
    running = {_started(part, log): log for part, log in zip(parts, logs, strict=True)}
    deadline = time.monotonic() + timeout
    try:
        while running:
            for process in list(running):
                ended, status = os.waitpid(process, os.WNOHANG)
                if ended:
                    text = running.pop(process).read_text()[-5000:]
                    assert os.waitstatus_to_exitcode(status) == 0, text
            assert time.monotonic() < deadline, [log.read_text()[-5000:] for log in logs]
            time.sleep(0.02)
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def run_two_processes(part: Callable[[int], object], folder: Path) -> None:
    """Runs a function of the rank in two processes, in the environment that torchrun makes.

    Args:
        part: The function, which joins the group itself.
        folder: Where is written what they print.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    run_forked([lambda rank=rank: _as_rank(part, rank, port) for rank in range(2)], folder)


def _as_rank(part: Callable[[int], object], rank: int, port: int) -> None:
    os.environ.update(RANK=f'{rank}', LOCAL_RANK=f'{rank}', WORLD_SIZE='2', LOCAL_WORLD_SIZE='2')
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=f'{port}')
    part(rank)


def _started(part: Callable[[], object], log: Path) -> int:
    log.touch()
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        with log.open('w') as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
            try:
                # As in a process of its own, a warning is no error.
                warnings.simplefilter('default')
                part()
                code = 0
            except BaseException:
                traceback.print_exc(file=stream)
    finally:
        os._exit(code)
