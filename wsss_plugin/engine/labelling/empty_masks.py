"""Masks of images of whose tags next to nothing was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from wsss_plugin.engine.labelling.labelling_config import LEAST
from wsss_plugin.engine.labelling.tagged_folder import TaggedFolder
from wsss_plugin.whole_file import write_text

EMPTY_FILE, FAINT_FILE = 'all_background.txt', 'next_to_nothing.txt'


def find_empty_masks(folder: TaggedFolder, masks: str | Path) -> tuple[list[str], list[str]]:
    """Lists the images with tags whose mask has nothing of them, or next to nothing.

    Args:
        folder: Images and tags.
        masks: Folder of the masks; the lists are written beside it.

    Returns:
        Names of the images whose mask is all background, and of those that have no more than the
        share of pixels that is marked where nothing is found.
    """
    empty, faint = [], []
    for name, tags in zip(folder.names, folder.tags_of, strict=True):
        if not tags.any():
            continue
        with Image.open(Path(masks, name).with_suffix('.png')) as mask:
            found = np.asarray(mask) > 0
        if not found.any():
            empty.append(name)
        elif found.sum() <= max(1, round(LEAST * found.size)):
            faint.append(name)
    for file, names in ((EMPTY_FILE, empty), (FAINT_FILE, faint)):
        write_text(Path(masks).parent / file, ''.join(f'{name}\n' for name in names))
    return empty, faint
