"""Label maps as image files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from wsss_plugin.errors import DataError
from wsss_plugin.whole_file import whole_file


def save_label_png(
    path: str | Path, label: np.ndarray, palette: Sequence[Sequence[int]] | None = None
) -> None:
    """Writes a label map as the one-channel PNG that the VOC server accepts.

    Args:
        path: The file to write.
        label: Label map (H, W) of whole numbers from 0 to 255.
        palette: Colours (C, 3), 0 to 255, with which viewers show the file, black for
            labels beyond; grey if None or empty.

    Raises:
        DataError: If a value does not fit into 8 bits.
    """
    largest, smallest = label.max(initial=0), label.min(initial=0)
    if smallest < 0 or largest > 255:
        raise DataError(
            f'{path}: expected labels from 0 to 255 for a PNG of 8 bits, received '
            f'{smallest if smallest < 0 else largest}; predict at most 254 classes beside the '
            'background'
        )
    image = Image.fromarray(np.ascontiguousarray(label, dtype=np.uint8))
    if palette is not None and len(palette):
        # All 256 entries: under a short palette Pillow stores fewer bits, and large labels change.
        colours = np.zeros((256, 3), dtype=np.uint8)
        colours[: len(palette)] = palette[:256]
        image.putpalette(colours.tobytes())
    with whole_file(path) as file:
        image.save(file, format='PNG')
