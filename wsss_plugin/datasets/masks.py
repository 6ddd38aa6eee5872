"""What can be wrong with a mask."""

from __future__ import annotations

from pathlib import Path

import mmcv
from PIL import Image

from wsss_plugin.datasets.pixel_modes import is_deep
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError, cut

# Of these formats a file can change values, and one that does not cannot be told apart.
_LOSSY = ('JPEG', 'MPO', 'JPEG2000', 'WEBP', 'AVIF', 'HEIF')


def require_readable_mask(path: str) -> None:
    """Checks that a file holds one class id per pixel.

    Args:
        path (str): The mask.

    Raises:
        MissingFileError: There is no such file.
        DamagedFileError: The file is empty, truncated or no image.
        DataError: The mask has several channels or more than 8 bits, or changes on saving.
    """
    if not Path(path).is_file():
        raise MissingFileError(
            f'{path}: expected a mask, found no file; check data_root, data_prefix and '
            'seg_map_suffix, or remove the name from the list of images'
        )
    try:
        mmcv.imfrombytes(Path(path).read_bytes(), flag='unchanged', backend='pillow')
    except Exception as error:
        raise DamagedFileError(
            f'{path}: expected a complete mask, received a damaged, truncated or unsupported file '
            f'({cut(error)}); replace the file or remove its name from the list of images'
        ) from error
    require_class_ids(path)


def require_class_ids(path: str) -> None:
    """Checks that the pixels of a mask can be class ids, by the header of the file alone.

    Args:
        path (str): A mask that a transform was able to load.

    Raises:
        DataError: The mask has several channels or more than 8 bits, or changes on saving.
    """
    try:
        with Image.open(path) as image:
            mode, channels = image.mode, len(image.getbands())
            lossy = image.format in _LOSSY or 'jpeg' in str(image.info.get('compression'))
            kind = image.format
    except OSError:
        # Not on this machine or in no format of Pillow's: a transform of the user's own loaded it.
        return
    if lossy:
        raise DataError(
            f'{path}: expected a mask whose values stay as they were saved, received a file in the '
            f'format {kind}, whatever its name, of a kind that changes values at the borders of '
            'objects; make the mask again as an 8-bit or palette PNG, from its source: a copy of '
            'this file keeps the damage'
        )
    if channels > 1:
        raise DataError(
            f'{path}: expected a mask with one class id per pixel, received an image of '
            f'{channels} channels; save it as an 8-bit or palette PNG'
        )
    if is_deep(mode):
        raise DataError(
            f"{path}: expected a mask of 8 bits, received one in Pillow's mode '{mode}', whose "
            'values would be taken modulo 256; save it as an 8-bit or palette PNG'
        )
