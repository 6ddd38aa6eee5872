"""Ties a worker process to its parent; run by path, since the package takes seconds to import."""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading

RUN_NAME = 'crf_worker_process'
_PR_SET_PDEATHSIG = 1


def end_with_parent(from_main_thread: bool) -> None:
    """Ends this process as soon as its parent has ended, whatever ended it.

    Ctrl-C is left to the parent, which ends the worker.

    Args:
        from_main_thread (bool): Whether the parent's main thread has started it; another thread
            may end before the process does.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()
    if sys.platform == 'linux' and from_main_thread:
        # The thread waits while a compiled function keeps the interpreter; the kernel does not.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:
            os._exit(1)


def _wait_for(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


if __name__ == RUN_NAME:
    end_with_parent(globals()['from_main_thread'])
