"""Lists and labels as text, with the file's name in every error."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from wsss_plugin.errors import DataError, cut, received

# Control characters, halves of characters, and separators of lines and paragraphs.
_NOT_IN_NAMES = re.compile('[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]')


def read_text(path: str | Path) -> str:
    """Reads a file of text.

    Args:
        path (str | Path): The file, with or without a byte order mark.

    Returns:
        str: The text without the mark.

    Raises:
        DataError: The file cannot be read, or its encoding is another than UTF-8.
    """
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise _other_encoding(path) from error
    except OSError as error:
        raise DataError(
            f'{path}: expected a file that can be read, received an error of the system '
            f'({error.strerror}); check the path and its permissions'
        ) from error
    # What UTF-16 without a mark makes of plain letters is UTF-8 as well.
    if '\0' in text:
        raise _other_encoding(path)
    return text


def _other_encoding(path: str | Path) -> DataError:
    return DataError(
        f'{path}: expected text in UTF-8, received another encoding, such as Windows-1252 or '
        'UTF-16; save the file again as UTF-8'
    )


def is_one_line(text: str) -> bool:
    r"""Whether a text has neither line breaks nor control characters, nor halves of characters.

    Args:
        text (str): A name.

    Returns:
        bool: Whether it can be that of a file or class.

    Example:
        >>> is_one_line('Kühe\xa01'), is_one_line('a\nb'), is_one_line('\ud800')
        (True, False, False)
    """
    return _NOT_IN_NAMES.search(text) is None


def read_json(path: str | Path) -> Any:
    """Reads a file of JSON.

    Args:
        path (str | Path): The file.

    Returns:
        Any: Its content.

    Raises:
        DataError: The encoding is another than UTF-8, the text is no JSON, or an object of it has
            a key twice.
    """
    text = read_text(path)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            raise _repeated(path, pairs)
        return content

    try:
        return json.loads(text, object_pairs_hook=unique)
    except DataError:
        raise
    except RecursionError as error:
        raise DataError(
            f'{path}: expected JSON of a few levels, received lists or objects in each other '
            'more often than Python can follow; correct the file'
        ) from error
    # Beside what is no JSON: whole numbers of more digits than Python reads.
    except ValueError as error:
        raise DataError(
            f'{path}: expected JSON, received {cut(error)}; correct the file'
        ) from error


def _repeated(path: str | Path, pairs: list[tuple[str, Any]]) -> DataError:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            break
        seen[key] = value
    return DataError(
        f'{path}: expected every key of an object once, received {received(key)} twice, with '
        f'{received(seen[key])} and {received(value)}; remove one of them'
    )


def read_lines(path: str | Path) -> dict[str, int]:
    """Reads a list of names, one per line.

    Args:
        path (str | Path): The file; empty lines are left out.

    Returns:
        dict[str, int]: Number of the line, from 1, by what it says.

    Raises:
        DataError: The encoding is another than UTF-8, or two lines are the same.
    """
    numbers: dict[str, int] = {}
    for number, line in enumerate(read_text(path).split('\n'), start=1):
        name = line.strip()
        if name in numbers:
            raise DataError(
                f'{path}: expected every name once, received {received(name)} in line '
                f'{numbers[name]} and in line {number}; remove one of them'
            )
        if name:
            numbers[name] = number
    return numbers
