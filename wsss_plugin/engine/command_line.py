"""What every tool does when it is run as a command."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from wsss_plugin import compat

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
    try:
        with compat.data_only():
            code = main()
    except KeyboardInterrupt as error:
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
    # Other packages raise the same types for defects, which need the traceback.
    first = message.partition('\n')[0]
    return message if first.startswith('expected ') or ': expected ' in first else None


def _end(message: str, code: int) -> NoReturn:
    """Says why and ends at once; threads and workers end by themselves."""
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    logging.shutdown()
    os._exit(code)
