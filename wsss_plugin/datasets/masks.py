"""What can be wrong with a mask."""

from __future__ import annotations

from pathlib import Path

import mmcv


def require_readable_mask(path: str) -> None:
    """Checks that a file holds one class id per pixel.

    Args:
        path (str): The mask.

    Raises:
        FileNotFoundError: There is no such file.
        RuntimeError: The file is empty, truncated or no image.
        ValueError: The mask has several channels.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'{path}: expected a mask, found no file; check data_root, data_prefix and '
            'seg_map_suffix, or remove the name from the list of images'
        )
    try:
        mask = mmcv.imfrombytes(Path(path).read_bytes(), flag='unchanged', backend='pillow')
    except Exception as error:
        raise RuntimeError(
            f'{path}: expected a complete mask, received a damaged, truncated or unsupported file '
            f'({error}); replace the file or remove its name from the list of images'
        ) from error
    if mask.squeeze().ndim != 2:
        raise ValueError(
            f'{path}: expected a mask with one class id per pixel, received an image of '
            f'{mask.shape[-1]} channels; save it as an 8-bit or palette PNG'
        )
