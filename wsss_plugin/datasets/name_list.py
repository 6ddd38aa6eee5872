"""Lists that choose among images."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from wsss_plugin.datasets.text_files import read_lines
from wsss_plugin.errors import DataError, MissingFileError, listed


def chosen_names(list_file: str | Path, known: Collection[str], source: object) -> tuple[str, ...]:
    """Reads which images are taken.

    Args:
        list_file (str | Path): Their names, one per line, with or without suffix.
        known (Collection[str]): Names of all images, without suffix.
        source (object): What has those, for the error.

    Returns:
        tuple[str, ...]: Names without suffix, in the order of the list.

    Raises:
        MissingFileError: There is no such list.
        DataError: The list is empty, or names other images.
    """
    if not Path(list_file).is_file():
        raise MissingFileError(f'expected a list of names at {list_file}, found none')
    names = {
        line if line in known else str(Path(line).with_suffix('')): line
        for line in read_lines(list_file)
    }
    missing = [line for name, line in names.items() if name not in known]
    if missing or not names:
        raise DataError(
            f'{list_file}: expected names of images of {source}, received '
            f'{listed(missing, 3) or "none"}; correct the list'
        )
    return tuple(names)
