"""Images that are loaded before they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import cv2
from torch.utils.data import DataLoader, Dataset

from wsss_plugin.errors import WSSSError

_AHEAD = 2  # images that each process holds


class LoadedItems(Dataset):
    """Items of images in a given order, loaded by processes beside this one.

    A process holds two images at most. The order does not depend on the number of processes.

    Args:
        images: The images, such as ``ListedImages``.
        names: Names of those that are loaded.
        workers: Number of processes, 0 for none beside this one.
    """

    def __init__(self, images: Any, names: Sequence[str], workers: int = 0) -> None:
        self._images = images
        self._names = list(names)
        self._workers = min(workers, len(self._names))

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Any:
        name = self._names[index]
        try:
            return self._images.item(name)
        except Exception as error:
            if isinstance(error, WSSSError) or PurePath(name).name in str(error):
                raise
            raise RuntimeError(f'loading {name} failed: {type(error).__name__}: {error}') from error

    def __iter__(self) -> Iterator[Any]:
        """Loads.

        Yields:
            The items, in the order of the names.

        Raises:
            RuntimeError: If loading an image failed, and the error does not name it; names it.
        """
        if not self._workers:
            yield from (self[index] for index in range(len(self)))
            return
        yield from DataLoader(
            self,
            batch_size=None,
            num_workers=self._workers,
            prefetch_factor=_AHEAD,
            collate_fn=_as_it_is,
            worker_init_fn=_use_one_thread,
        )


def _as_it_is(item: Any) -> Any:
    return item


def _use_one_thread(_: int) -> None:
    # As many processes as there are cores, each with as many threads, would be in each other's way.
    cv2.setNumThreads(0)
