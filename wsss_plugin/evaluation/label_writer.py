"""Predicted label maps as files of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsss_plugin.evaluation.label_png import save_label_png
from wsss_plugin.evaluation.writer_thread import WriterThread


class LabelWriter:
    """Writes ``<image id>.png`` for each image, beside the work on the next ones.

    Args:
        folder: The folder; it is made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._written: dict[str, str] = {}
        self._thread = WriterThread()

    def save(
        self, name: str, label: np.ndarray, palette: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Writes the label map of an image, at the latest in :meth:`finish`.

        Args:
            name: File of the image.
            label: Label map (H, W).
            palette: Colours of the classes, 0 to 255.

        Raises:
            ValueError: If another image has the same name.
            DataError: If an earlier label map has a value that does not fit into 8 bits.
            OSError: If an earlier file cannot be written; names it.
        """
        self._thread.run(save_label_png, self.reserve(name), label, palette)

    def finish(self) -> None:
        """Waits for every file.

        Raises:
            DataError: If a label map has a value that does not fit into 8 bits.
            OSError: If a file cannot be written; names it.
        """
        self._thread.drain()
        self._thread.close()

    def reserve(self, name: str) -> Path:
        """Keeps the file of an image from others.

        Args:
            name: File of the image.

        Returns:
            Where its label map is.

        Raises:
            ValueError: If another image has the same name.
        """
        path = self.folder / f'{Path(name).stem}.png'
        owner = self._written.setdefault(path.name, name)
        if owner != name:
            raise ValueError(
                f'expected images whose names differ beyond their folders for output_dir, received '
                f'{owner} and {name}, which would both be {path}; rename one of them, or leave '
                'output_dir out'
            )
        return path
