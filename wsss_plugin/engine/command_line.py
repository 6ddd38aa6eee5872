"""What every tool does when it is run as a command."""

from __future__ import annotations

import logging
import multiprocessing.context
import multiprocessing.util
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from wsss_plugin import compat
from wsss_plugin.errors import WSSSError

_INTERRUPTED = 128 + signal.SIGINT


def run_tool(
    main: Callable[[], Any], kept: str = 'nothing was written', gives_code: bool = False
) -> NoReturn:
    """Runs a tool and ends the process.

    The exit code is 0 only if ``main`` has done all that was asked, 1 after an error and 130 after
    Ctrl-C, which is answered by one line. Every ``torch.load`` of the process reads data only.

    Args:
        main (Callable): The tool; the message of a ``KeyboardInterrupt`` says what is kept.
        kept (str): What is kept after Ctrl-C, where the exception does not say.
        gives_code (bool): Whether ``main`` returns the exit code.
    """
    sys.excepthook = _say_nothing_of_interruptions
    try:
        with compat.data_only(), warnings.catch_warnings():
            # The toolbox's own heads call it; a user can do nothing about that.
            warnings.filterwarnings('ignore', '``build_loss`` would be deprecated soon')
            code = main()
    except KeyboardInterrupt as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end(f'interrupted: {error.args[0] if error.args else kept}', _INTERRUPTED)
    except Exception as error:
        message = _for_users(error)
        if message is None:
            raise
        _end(f'error: {message}', 1)
    sys.exit(code if gives_code else 0)


def _for_users(error: Exception) -> str | None:
    """The message, where it says all, so that a traceback would only hide it."""
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if message.startswith('Caught ') and 'Original Traceback' in message:
        # From a worker of a dataloader, which puts its traceback before it.
        message = message.strip().rpartition('\n')[2].partition(': ')[2]
    if isinstance(error, WSSSError):
        return message
    # Other packages raise the same types for defects, which need the traceback.
    first = message.partition('\n')[0]
    return message if first.startswith('expected ') or ': expected ' in first else None


def _end(message: str, code: int) -> NoReturn:
    """Says why and ends at once: workers, which end by themselves, may keep Python waiting."""
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    logging.shutdown()
    with suppress(Exception):
        for child in multiprocessing.active_children():
            # One that only begins would miss the semaphores; those of dataloaders are forks.
            if isinstance(child, multiprocessing.context.SpawnProcess):
                child.kill()
                child.join(1)
        # Gives back the semaphores of queues, of which Python would warn.
        multiprocessing.util._run_finalizers(0)  # type: ignore[attr-defined]
    os._exit(code)


def _say_nothing_of_interruptions(kind: type[BaseException], *others: Any) -> None:
    """For the second Ctrl-C, pressed while the first is answered."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, *others)
