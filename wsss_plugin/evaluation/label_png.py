"""Label maps as image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def save_label_png(
    path: str | Path, label: np.ndarray, palette: Sequence[Sequence[int]] | None = None
) -> None:
    """Writes a label map as the one-channel PNG that the VOC server accepts.

    Args:
        path: The file to write.
        label: Label map (H, W) with values 0 to 255.
        palette: Colours (C, 3), 0 to 255, with which viewers show the file, black for
            labels beyond; grey if None or empty.
    """
    image = Image.fromarray(np.ascontiguousarray(label, dtype=np.uint8))
    if palette is not None and len(palette):
        # All 256 entries: under a short palette Pillow stores fewer bits, and large labels change.
        colours = np.zeros((256, 3), dtype=np.uint8)
        colours[: len(palette)] = palette[:256]
        image.putpalette(colours.tobytes())
    image.save(path)
