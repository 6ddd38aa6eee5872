"""Image files of any number of bands and bits."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError, cut

READERS = ('tifffile', 'rasterio')


def require_reader(name: str) -> Any:
    """The package that reads images of many bands, imported only where one is read.

    Args:
        name: 'tifffile' or 'rasterio'.

    Returns:
        The module.

    Raises:
        ImportError: If the package is missing.
    """
    try:
        if name == 'rasterio':
            import rasterio

            return rasterio
        import tifffile

        return tifffile
    except ImportError as error:
        raise ImportError(
            f'expected the package {name} for images of many bands, which cannot be imported '
            f'({error}); run `pip install {name}`, or set reader to the other of {READERS}'
        ) from error


def read_bands(path: str | Path, reader: str = 'tifffile') -> np.ndarray:
    """Reads all bands of an image, with the values of the file.

    Args:
        path: The file: TIFF, and with rasterio what GDAL reads.
        reader: 'tifffile' or 'rasterio'.

    Returns:
        The image (H, W, C), of the file's type. The bands are in the file's order, whether it keeps
        them pixel by pixel, plane by plane or as pages.

    Raises:
        DamagedFileError: If the file is damaged, or of a kind that the reader does not know.
        DataError: If it has more than one image.
        ImportError: If the reader is missing.
        MissingFileError: If there is no such file.
    """
    package = require_reader(reader)
    if not Path(path).is_file():
        raise MissingFileError(
            f'{cut(path)}: expected an image, found no file; check data_root, data_prefix and '
            'img_suffix, or remove the name from the list of images'
        )
    try:
        return _by_rasterio(package, path) if reader == 'rasterio' else _by_tifffile(package, path)
    except DataError:
        raise
    except Exception as error:
        other = "; or read it by reader='rasterio'" if reader == 'tifffile' else ''
        raise DamagedFileError(
            f'{cut(path)}: expected a complete image that {reader} can read, received a damaged or '
            f'unsupported file ({cut(error)}); replace the file or remove its name from the list '
            f'of images{other}'
        ) from error


def _by_tifffile(tifffile: Any, path: str | Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        axes, values = series.axes, series.asarray()
    others = [index for index, axis in enumerate(axes) if axis not in 'YX']
    if len(others) > 1 or {'Y', 'X'} - set(axes):
        raise DataError(
            f'{cut(path)}: expected one image with bands, received the axes {axes} of shape '
            f'{values.shape}; write one image per file'
        )
    return values[..., None] if not others else np.moveaxis(values, others[0], -1)


def _by_rasterio(rasterio: Any, path: str | Path) -> np.ndarray:
    with warnings.catch_warnings():
        # Where on Earth the image is does not matter here.
        warnings.simplefilter('ignore', rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            return np.moveaxis(file.read(), 0, -1)
