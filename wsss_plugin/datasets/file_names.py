"""Names of files in files of tags, which stay in their folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from wsss_plugin.datasets.text_files import is_one_line
from wsss_plugin.errors import DataError, received

# Of one part of a path, by nearly all file systems.
_LONGEST_PART = 255


def relative_name(name: str, where: str) -> str:
    r"""A file's name as a path below its folder.

    Args:
        name (str): What a file of tags says; Windows' ``\`` counts as ``/``.
        where (str): File and entry, for the error.

    Returns:
        str: The same with ``/`` between its parts, and without ``.`` among them.

    Raises:
        DataError: The name is empty, absolute, leaves the folder by ``..`` or can be that of no
            file.

    Example:
        >>> relative_name('./camera 1\\a.jpg', 'tags.csv: line 2')
        'camera 1/a.jpg'
    """
    parts = PurePosixPath(name.replace('\\', '/')).parts
    if not parts or not is_one_line(name) or max(map(_size, parts)) > _LONGEST_PART:
        raise DataError(
            f'{where}: expected the name of a file, received {received(name)}, which no file can '
            'have; correct it'
        )
    if parts[0] == '/' or PureWindowsPath(name).drive or '..' in parts:
        raise DataError(
            f'{where}: expected the name of a file relative to its folder, received '
            f"{received(name)}, which may lead elsewhere; remove what is before the folder's own "
            'files and set data_prefix to the folder, which may be an absolute path'
        )
    return '/'.join(parts)


def _size(part: str) -> int:
    return len(part.encode(errors='surrogatepass'))


class LinkGuard:
    """Refuses files that lie outside of some folders once links are followed.

    The folders themselves may be links.

    Args:
        folders (Iterable[str | Path]): The folders; other names are allowed in none.
    """

    def __init__(self, folders: Iterable[str | Path]) -> None:
        self._roots = [os.path.realpath(folder) for folder in folders]
        self._inside: dict[str, bool] = {}

    def check(self, path: str | Path, where: str) -> None:
        """Checks one file, which need not exist.

        Args:
            path (str | Path): The file.
            where (str): File and entry that name it, for the error.

        Raises:
            DataError: The file is outside.
        """
        folder = os.path.dirname(path)
        # A folder is followed once for all of its files: this runs for every image.
        if folder not in self._inside:
            self._inside[folder] = self._is_inside(folder)
        inside = self._is_inside(path) if os.path.islink(path) else self._inside[folder]
        if not inside:
            raise DataError(
                f'{where}: expected a file in {" or ".join(self._roots)}, received {path}, a link '
                f'to {os.path.realpath(path)}; put the file itself there, or set '
                'allow_outside=True if you trust the links'
            )

    def _is_inside(self, path: str | Path) -> bool:
        real = os.path.realpath(path)
        return any(real == root or real.startswith(root.rstrip('/') + '/') for root in self._roots)
