"""Files that are removed later than they were asked to be."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


class LateRemoval:
    """A storage backend that remembers what to remove until it is told that the time has come.

    Args:
        backend (BaseStorageBackend): Does everything else.
    """

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self._waiting: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Remembers a file.

        Args:
            path (str): The file.
        """
        self._waiting.append(path)

    def rmtree(self, path: str) -> None:
        """Remembers a folder.

        Args:
            path (str): The folder.
        """
        self._waiting.append(path)

    def remove_now(self, except_for: Collection[str | None] = ()) -> None:
        """Removes what was remembered.

        Args:
            except_for (Collection): Paths that were written again since.
        """
        waiting, self._waiting = self._waiting, []
        for path in waiting:
            if path not in except_for:
                self.remove_if_there(path)

    def remove_if_there(self, path: str, folder: str | None = None) -> None:
        """Removes a file or a folder at once.

        Args:
            path (str): The file or folder; nothing happens if there is none.
            folder (str, optional): Where it is.
        """
        path = path if folder is None else self.backend.join_path(folder, path)
        if self.backend.isfile(path):
            self.backend.remove(path)
        elif self.backend.isdir(path):
            self.backend.rmtree(path)
