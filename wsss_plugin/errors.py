"""Errors of users, of one kind, and what they received on one line."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple = 3, 4, 6, 6
_SHORT.maxlong = _SHORT.maxother = _SHORT.maxstring = 80
_LONGEST = 120


class WSSSError(Exception):
    """What a user can put right; says what was expected, what was received and what to do.

    Each kind is also the built-in exception that fits, so that both can be caught.
    """


class ConfigError(WSSSError, ValueError):
    """A value of a config, or of a call, that cannot be used."""


class ConfigTypeError(ConfigError, TypeError):
    """A value of a config, or of a call, of another type."""


class DataError(WSSSError, ValueError):
    """A file of data whose content is not understood or contradicts itself."""


class MissingFileError(WSSSError, FileNotFoundError):
    """A file or folder that does not exist."""


class ExistingFileError(WSSSError, FileExistsError):
    """A file or folder that would be overwritten."""


class DamagedFileError(WSSSError, RuntimeError):
    """A file that is cut short or of another kind than its name says."""


def cut(text: object, limit: int = _LONGEST) -> str:
    r"""A text on one line, without its middle where it is long.

    Args:
        text: A name or another text; of other values what ``str`` makes of them.
        limit: Number of characters that are kept, at least 2.

    Returns:
        The text; line breaks and what cannot be printed are written as escapes.

    >>> cut('cat'), cut('a\nb'), cut('c' * 300, limit=6)
    ('cat', 'a\\nb', 'ccc…ccc (300 characters)')
    """
    whole = str(text)
    if len(whole) <= limit:
        return _printable(whole)
    half = limit // 2
    return f'{_printable(whole[:half])}…{_printable(whole[-half:])} ({len(whole)} characters)'


def received(value: object, limit: int = _LONGEST) -> str:
    """A value as an error shows it: quoted if it is a text, on one line, and cut.

    Args:
        value: What was received.
        limit: Number of characters of a text that are kept, at least 2.

    Returns:
        One line.

    >>> received('cat'), received(1.5), received(None), received(list(range(90)))
    ("'cat'", '1.5', 'None', '[0, 1, 2, 3, 4, 5, ...]')
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= limit else f"'{cut(value, limit)}'"
    try:
        return cut(_SHORT.repr(value), 2 * limit)
    except (ValueError, RecursionError):
        # Python writes no integers of thousands of digits, and follows no deep nesting.
        return f'a value of type {type(value).__name__}'


def listed(names: Iterable[object], number: int = 30) -> str:
    """Names, separated by commas, on one line, of which a long list shows the first ones.

    Args:
        names: The names.
        number: How many of them are shown.

    Returns:
        One line.

    >>> listed(['cat', 'dog']), listed(range(5), number=2)
    ('cat, dog', '0, 1 and 3 others')
    """
    every = [cut(name, 60) for name in names]
    shown, others = every[:number], len(every) - number
    return ', '.join(shown) + (f' and {others} others' if others > 0 else '')


def _printable(text: str) -> str:
    return ''.join(c if c.isprintable() else repr(c)[1:-1] for c in text)
