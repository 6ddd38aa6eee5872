"""Label maps as the files of an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wsss_plugin.datasets.label_manifest import PSEUDO_LABELS, label_path
from wsss_plugin.evaluation.label_png import save_label_png


class LabelFiles:
    """One PNG for each image, in the colours of a data set.

    Args:
        palette: Colours (C, 3), 0 to 255; grey if empty.
        ignore: Value of pixels without label in the files.
        ignore_index: Value with which label maps mark them before.
        kind: ``PSEUDO_LABELS`` or ``CORRECTED_MASKS``.
    """

    # More than label maps of photographs take, also where they are frayed.
    bytes_per_pixel = 0.1

    def __init__(
        self,
        palette: Sequence[Sequence[int]],
        ignore: int,
        ignore_index: int = 255,
        kind: str = PSEUDO_LABELS,
    ) -> None:
        self._palette = palette
        self._ignore = ignore
        self._ignore_index = ignore_index
        self.kind = kind

    def path(self, folder: Path, name: str) -> Path:
        """The file of an image.

        Args:
            folder: The folder of all.
            name: Name of the image.

        Returns:
            The path.
        """
        return label_path(folder, name)

    def tally(self, path: Path) -> tuple[int, int] | None:
        """Looks at a file.

        Args:
            path: The file.

        Returns:
            Ignored pixels and pixels, None for a missing or damaged file.
        """
        try:
            with Image.open(path) as image:
                return self._count(np.asarray(image))
        except (OSError, SyntaxError, ValueError):
            return None

    def write(self, path: Path, label: np.ndarray) -> tuple[int, int]:
        """Writes a label map.

        Args:
            path: The file.
            label: Label map (H, W).

        Returns:
            Ignored pixels and pixels.
        """
        written = np.where(label == self._ignore_index, self._ignore, label)
        save_label_png(path, written, self._palette)
        return self._count(written)

    def summary(self, tally: Sequence[int]) -> dict[str, Any]:
        """What the manifest says of all files.

        Args:
            tally: Sums of what :meth:`write` and :meth:`tally` return.

        Returns:
            Values for JSON.
        """
        return {'ignored_share': int(tally[0]) / max(int(tally[1]), 1)}

    def said(self, content: Mapping[str, Any]) -> str:
        """What a manifest says, for people.

        Args:
            content: Its content.

        Returns:
            A phrase.
        """
        share = 100 * content['ignored_share']
        return f'{len(content["images"])} labels, {share:.1f} % of their pixels ignored,'

    def _count(self, label: np.ndarray) -> tuple[int, int]:
        return int((label == self._ignore).sum()), label.size
