"""What can be wrong with a mask."""

from __future__ import annotations

from pathlib import Path

import mmcv
from PIL import Image

from wsss_plugin.datasets.pixel_modes import is_deep


def require_readable_mask(path: str) -> None:
    """Checks that a file holds one class id per pixel.

    Args:
        path (str): The mask.

    Raises:
        FileNotFoundError: There is no such file.
        RuntimeError: The file is empty, truncated or no image.
        ValueError: The mask has several channels or more than 8 bits.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: expected a mask, found no file; check data_root, data_prefix and '
            'seg_map_suffix, or remove the name from the list of images'
        )
    try:
        mmcv.imfrombytes(Path(path).read_bytes(), flag='unchanged', backend='pillow')
    except Exception as error:
        raise RuntimeError(
            f'{path}: expected a complete mask, received a damaged, truncated or unsupported file '
            f'({error}); replace the file or remove its name from the list of images'
        ) from error
    require_class_ids(path)


def require_class_ids(path: str) -> None:
    """Checks that the pixels of a mask can be class ids, by the header of the file alone.

    Args:
        path (str): A mask that a transform was able to load.

    Raises:
        ValueError: The mask has several channels or more than 8 bits.
    """
    try:
        with Image.open(path) as image:
            mode, channels = image.mode, len(image.getbands())
    except OSError:
        # Not on this machine or in no format of Pillow's: a transform of the user's own loaded it.
        return
    if channels > 1:
        raise ValueError(
            f'{path}: expected a mask with one class id per pixel, received an image of '
            f'{channels} channels; save it as an 8-bit or palette PNG'
        )
    if is_deep(mode):
        raise ValueError(
            f"{path}: expected a mask of 8 bits, received one in Pillow's mode '{mode}', whose "
            'values would be taken modulo 256; save it as an 8-bit or palette PNG'
        )
