"""Masks without any of the classes that their images are tagged with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from wsss_plugin.engine.labelling.tagged_folder import TaggedFolder
from wsss_plugin.whole_file import write_text

EMPTY_FILE = 'all_background.txt'


def find_empty_masks(folder: TaggedFolder, masks: str | Path) -> list[str]:
    """Lists the images with tags whose mask is all background.

    Args:
        folder: Images and tags.
        masks: Folder of the masks; the list is written beside it.

    Returns:
        Names of the images.
    """
    found = []
    for name, tags in zip(folder.names, folder.tags_of, strict=True):
        if not tags.any():
            continue
        with Image.open(Path(masks, name).with_suffix('.png')) as mask:
            if not np.asarray(mask).any():
                found.append(name)
    write_text(Path(masks).parent / EMPTY_FILE, ''.join(f'{name}\n' for name in found))
    return found
