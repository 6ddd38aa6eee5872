"""What can be the name of a class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from wsss_plugin.datasets.text_files import is_one_line
from wsss_plugin.errors import DataError, received

BACKGROUND = 'background'
# Separators other than ';', and what programs write around or in place of texts.
_SEPARATORS = re.compile(r'[,|;\t"\[\]{}]|^\'|\'$')
_SOFT_SEPARATORS = re.compile(r'[\s/+&:]+')
_EMPTY = ('nan', 'none', 'null', 'n/a', 'na', '<na>', '#n/a', 'nil', 'nat', 'undefined', '-', '?')


def is_background(name: str) -> bool:
    """Whether a name means the background, as annotation tools write it.

    Args:
        name (str): A tag, category or column.

    Returns:
        bool: Whether it does.

    Example:
        >>> [is_background(name) for name in ('Background', '_background_', 'cat')]
        [True, True, False]
    """
    return name.strip(' _').casefold() == BACKGROUND


def same_word(name: str) -> str:
    """What names have in common that only differ in spelling.

    Args:
        name (str): Name of a class.

    Returns:
        str: Without capitals, with single blanks in place of blanks, ``_`` and ``-``.

    Example:
        >>> same_word('Potted_plant') == same_word(' potted-Plant')
        True
    """
    folded = unicodedata.normalize('NFKC', name).casefold()
    return ' '.join(re.split(r'[\s_\-]+', folded)).strip()


def require_one_spelling(path: str | Path, where: Mapping[str, str]) -> None:
    """Checks that no two names are spellings of one.

    Args:
        path (str | Path): The file that has them.
        where (Mapping[str, str]): Where every name is first, for the error.

    Raises:
        DataError: Two names differ in capitals, blanks, ``_`` or ``-`` only.
    """
    seen: dict[str, str] = {}
    for name, place in where.items():
        other = seen.setdefault(same_word(name), name)
        if other != name:
            raise DataError(
                f'{path}: expected one spelling of each class, received {received(other)} '
                f'{where[other]} and {received(name)} {place}; write both in the same way, or '
                "name the classes in metainfo['classes'] if they are two"
            )


def require_plain(path: str | Path, where: Mapping[str, str]) -> None:
    """Checks that every tag of a file is the name of one class, where nobody has named them.

    Args:
        path (str | Path): The file.
        where (Mapping[str, str]): Where every tag is first, for the error.

    Raises:
        DataError: A tag is several names, no name, or another spelling of a second one.
    """
    for tag, place in where.items():
        problem = _problem(tag) or _several(tag, where)
        if problem:
            raise DataError(
                f'{path}: expected tags that are names of classes, received {received(tag)} '
                f"{place}, {problem}; or name it in metainfo['classes'] if it is a class"
            )
    require_one_spelling(path, where)


def _problem(tag: str) -> str:
    if not tag or not is_one_line(tag):
        return 'which is no name; correct it, an image of background has an empty list of tags'
    if tag.casefold() in _EMPTY:
        return (
            'which stands for an empty cell; leave it empty if the image shows background only, '
            'or add its tags'
        )
    if _SEPARATORS.search(tag):
        return "which looks like several; separate tags by ';' in a CSV, and as a list in a JSON"
    if re.fullmatch(r'[+-]?[\d.]+(e[+-]?\d+)?', tag.casefold()):
        return 'which is a number; write the name of the class'
    return ''


def _several(tag: str, tags: Mapping[str, str]) -> str:
    parts = [part for part in _SOFT_SEPARATORS.split(tag) if part]
    if len(parts) > 1 and all(part in tags for part in parts):
        return (
            "which consists of other tags; separate tags by ';' in a CSV, and as a list in a JSON"
        )
    return ''
