"""Predicted label maps as files of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsss_plugin.evaluation.label_png import save_label_png


class LabelWriter:
    """Writes ``<image id>.png`` for each image.

    Args:
        folder: The folder; it is made.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._written: dict[str, str] = {}

    def save(
        self, name: str, label: np.ndarray, palette: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Writes the label map of an image.

        Args:
            name: File of the image.
            label: Label map (H, W).
            palette: Colours of the classes, 0 to 255.

        Raises:
            ValueError: If another image has the same name.
        """
        save_label_png(self.reserve(name), label, palette)

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
