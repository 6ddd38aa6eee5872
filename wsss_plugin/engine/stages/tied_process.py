"""A process that ends with the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

_PR_SET_PDEATHSIG = 1


def run_tied(command: Sequence[str], environment: Mapping[str, str], lock: int) -> int:
    """Runs a command to its end; on Linux it ends when this process does, whatever ends that.

    Ctrl-C is passed on once for each time, and the command may then save what it has.

    Args:
        command: The command.
        environment: Its environment.
        lock: Open file that it inherits, of :func:`work_lock`.

    Returns:
        Its exit code, negative for a signal.

    Raises:
        KeyboardInterrupt: After Ctrl-C, once the command has ended.
    """
    interrupted = False
    with subprocess.Popen(
        command,
        env=dict(environment),
        pass_fds=(lock,),
        preexec_fn=_end_with(os.getpid()),
        # A terminal would interrupt it too, and the second time it saves nothing.
        start_new_session=True,
    ) as process:
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
                os.killpg(process.pid, signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    return code


def _end_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != 'linux':
        return None
    # Looked up before the fork, after which little is allowed.
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return tie
