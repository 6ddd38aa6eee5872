"""What of a log reaches the terminal; the file has all of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

# Warnings of the toolbox about its own code, about which a user can do nothing.
_OF_THE_TOOLBOX = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    'The prefix is not set in metric class',
    # Of original sizes, to which each prediction is resized by itself.
    'Image shapes are different in the batch',
)


def terminal_handlers(logger: logging.Logger) -> list[logging.StreamHandler]:
    """The handlers of a logger that write to the terminal.

    Args:
        logger: Such as the ``MMLogger`` of a runner.

    Returns:
        The handlers, without those that write files.
    """
    return [
        handler
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
    ]


@contextmanager
def quiet_terminal(logger: logging.Logger) -> Iterator[None]:
    """Keeps what is no warning from the terminal.

    Args:
        logger: The logger.

    Yields:
        None: With the terminal quiet; as it was before afterwards.
    """
    handlers = terminal_handlers(logger)
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)


def hide_toolbox_warnings(logger: logging.Logger) -> None:
    """Keeps warnings of the toolbox about its own code from the terminal.

    Args:
        logger: The logger.
    """
    for handler in terminal_handlers(logger):
        handler.addFilter(is_for_users)


def is_for_users(record: logging.LogRecord) -> bool:
    """Whether a record is not about the toolbox's own code; a filter for handlers.

    Args:
        record: The record.

    Returns:
        False for deprecations that only the toolbox itself can follow.
    """
    return not str(record.msg).startswith(_OF_THE_TOOLBOX)
