"""Scores as the files of an export."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsss_plugin.datasets.score_folder import (
    ALPHA_SCORES,
    CAM_SCORES,
    STRIDE,
    score_path,
    write_scores,
)

# Room for five classes; the first in half precision for each cell, the second in 8 bits.
_BYTES_PER_PIXEL = {CAM_SCORES: 5 * 2 / STRIDE**2, ALPHA_SCORES: 1.0}


class ScoreFiles:
    """One ``.npz`` for each image, as ``ScoreFolder`` reads it.

    Args:
        kind: ``CAM_SCORES`` or ``ALPHA_SCORES``.
    """

    def __init__(self, kind: str = CAM_SCORES) -> None:
        self.kind = kind
        self.bytes_per_pixel = _BYTES_PER_PIXEL[kind]

    def path(self, folder: Path, name: str) -> Path:
        """The file of an image.

        Args:
            folder: The folder of all.
            name: Name of the image.

        Returns:
            The path.
        """
        return score_path(folder, name)

    def tally(self, path: Path) -> tuple[int, int] | None:
        """Looks at a file.

        Args:
            path: The file.

        Returns:
            Its size in bytes and 1, None for a missing or damaged file.
        """
        try:
            with zipfile.ZipFile(path) as file:
                damaged = file.testzip()
        except (OSError, EOFError, ValueError, zipfile.BadZipFile):
            return None
        return None if damaged else (path.stat().st_size, 1)

    def write(self, path: Path, arrays: Mapping[str, np.ndarray]) -> tuple[int, int]:
        """Writes the scores of an image.

        Args:
            path: The file.
            arrays: Arrays by name.

        Returns:
            Size of the file in bytes, and 1.
        """
        write_scores(path, **arrays)
        return path.stat().st_size, 1

    def summary(self, tally: Sequence[int]) -> dict[str, Any]:
        """What the manifest says of all files.

        Args:
            tally: Sums of what :meth:`write` and :meth:`tally` return.

        Returns:
            Values for JSON.
        """
        return {'bytes_per_image': round(int(tally[0]) / max(int(tally[1]), 1))}

    def said(self, content: Mapping[str, Any]) -> str:
        """What a manifest says, for people.

        Args:
            content: Its content.

        Returns:
            A phrase.
        """
        number, size = len(content['images']), content['bytes_per_image']
        return f'{self.kind} of {number} images, {size} bytes each,'
