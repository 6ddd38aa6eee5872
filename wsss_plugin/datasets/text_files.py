"""Lists and labels as text, with the file's name in every error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_text(path: str | Path) -> str:
    """Reads a file of text.

    Args:
        path (str | Path): The file, with or without a byte order mark.

    Returns:
        str: The text without the mark.

    Raises:
        ValueError: The encoding is another than UTF-8.
    """
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise _other_encoding(path) from error
    # What UTF-16 without a mark makes of plain letters is UTF-8 as well.
    if '\0' in text:
        raise _other_encoding(path)
    return text


def _other_encoding(path: str | Path) -> ValueError:
    return ValueError(
        f'{path}: expected text in UTF-8, received another encoding, such as Windows-1252 or '
        'UTF-16; save the file again as UTF-8'
    )


def read_json(path: str | Path) -> Any:
    """Reads a file of JSON.

    Args:
        path (str | Path): The file.

    Returns:
        Any: Its content.

    Raises:
        ValueError: The encoding is another than UTF-8, or the text is no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f'{path}: expected JSON, received {error}; correct the file') from error
