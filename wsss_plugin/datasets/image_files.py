"""Images of a folder."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def find_images(folder: Path) -> dict[str, Path]:
    """Lists the images of a folder and its sub-folders, without hidden files and folders.

    Args:
        folder (Path): The folder, which may itself be hidden.

    Returns:
        dict[str, Path]: Files by their names relative to the folder.
    """
    found = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith('.')]
        for file in files:
            path = Path(parent, file)
            if path.suffix.lower() in IMAGE_SUFFIXES and not file.startswith('.'):
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))


def why_not_found(folder: Path, name: str) -> str:
    """Says what is there instead of an image that :func:`find_images` does not list.

    Args:
        folder (Path): The folder of the images.
        name (str): Name of the image, relative to the folder.

    Returns:
        str: The reason, and what to do.
    """
    wanted = Path(name)
    if _is_hidden(wanted) and os.path.exists(folder / wanted):
        return f'{name} is hidden, as its name begins with a dot; rename it'
    # An image in a sub-folder, or with a suffix in capitals, is one that a user takes for the same.
    for path in sorted(folder.rglob('*')):
        relative = path.relative_to(folder)
        if not path.is_file() or _is_hidden(relative):
            continue
        if relative.as_posix() == name or relative.with_suffix('').as_posix() == name:
            return (
                f'found {relative.as_posix()}, which is none of {", ".join(IMAGE_SUFFIXES)}; '
                'convert the file'
            )
        if relative.as_posix().casefold() in (name.casefold(), *_with_suffixes(name)):
            return (
                f'found {relative.as_posix()}, whose letters are others; write the name as the '
                'file has it'
            )
        if _same_letters(relative.as_posix(), name):
            return (
                f'found {relative.as_posix()}, whose accents are coded otherwise (Unicode NFD or '
                'NFC); rename the file, or copy its name from the folder'
            )
        if wanted.name in (relative.name, relative.stem):
            return f'found {relative.as_posix()}; write the name with its folders'
    return 'found none; add the image or remove its entry'


def _same_letters(found: str, name: str) -> bool:
    """Whether names with or without suffix are the same but for the coding of accents."""
    one, other = (unicodedata.normalize('NFC', text) for text in (found, name))
    return one == other or one in {other + suffix for suffix in IMAGE_SUFFIXES}


def _with_suffixes(name: str) -> tuple[str, ...]:
    return tuple(name.casefold() + suffix for suffix in IMAGE_SUFFIXES)


def _is_hidden(name: Path) -> bool:
    return any(part.startswith('.') for part in name.parts)
