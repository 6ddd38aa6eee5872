"""Loading of images with any number of bands, of 8 or 16 bits or floats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from wsss_plugin.datasets.band_files import READERS, read_bands, require_reader
from wsss_plugin.errors import ConfigError, DataError, cut, received


@TRANSFORMS.register_module()
class LoadImageBands(BaseTransform):
    """Loads an image of ``in_channels`` bands on the scale of 8-bit images.

    Values x become ``255 (x - low) / (high - low)``, cut to 0 and 255, as float32, so that mean and
    standard deviation of the data preprocessor, padding and augmentation are on one scale for all
    images. Bands of 8 bits without ``value_range`` stay as they are.

    Args:
        in_channels: Number of bands that the network takes, as ``in_channels`` of the backbone.
        value_range: What becomes 0 and what becomes 255: one pair for all bands, or one for each;
            needed for all but 8 bits.
        bands: Which bands of the file, from 0, in the order of the network's channels; None for
            all. Pictures show the first three as red, green and blue.
        reader: 'tifffile' or 'rasterio'; the latter reads more formats and compressions.

    Raises:
        ConfigError: If an argument is impossible, or the numbers of bands differ.
        ImportError: If the reader is missing.

    Example:
        >>> LoadImageBands(in_channels=4, value_range=(0, 10000))
        LoadImageBands(in_channels=4, value_range=(0, 10000), bands=None, reader='tifffile')
    """

    def __init__(
        self,
        in_channels: int,
        value_range: Sequence[float] | Sequence[Sequence[float]] | None = None,
        bands: Sequence[int] | None = None,
        reader: str = 'tifffile',
    ) -> None:
        if not isinstance(in_channels, int) or in_channels < 1:
            raise ConfigError(f'in_channels: expected a positive integer, received {in_channels!r}')
        if reader not in READERS:
            raise ConfigError(f'reader: expected one of {READERS}, received {reader!r}')
        if bands is not None and (len(bands) != in_channels or min(bands) < 0):
            raise ConfigError(
                f'bands: expected {in_channels} indices from 0, as many as in_channels, received '
                f'{received(bands)}'
            )
        self.in_channels = in_channels
        self.value_range = value_range
        self.bands = None if bands is None else list(bands)
        self.reader = reader
        self._limits = None if value_range is None else _limits(value_range, in_channels)
        require_reader(reader)

    def transform(self, results: dict) -> dict:
        """Adds ``img`` (H, W, C), float32 or uint8, 0 to 255, ``img_shape`` and ``ori_shape``.

        Args:
            results: Has ``img_path``.

        Returns:
            ``results`` with the image.

        Raises:
            DamagedFileError: If the file is damaged or no image that the reader knows.
            DataError: If it has other bands than expected, more than 8 bits without
                ``value_range``, or values that are no numbers.
            MissingFileError: If there is no such file.
        """
        path = results['img_path']
        image = self._chosen(read_bands(path, self.reader), path)
        if self._limits is None:
            self._require_bytes(image, path)
        else:
            image = self._scaled(image, path, *self._limits)
        results['img'] = np.ascontiguousarray(image)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def _chosen(self, image: np.ndarray, path: str) -> np.ndarray:
        there = image.shape[2]
        if self.bands is None and there != self.in_channels:
            raise DataError(
                f'{cut(path)}: expected {self.in_channels} bands, as in_channels of LoadImageBands '
                f'says, received {there}; set in_channels, or choose some by bands'
            )
        if self.bands is not None and max(self.bands) >= there:
            raise DataError(
                f'{cut(path)}: expected bands up to index {max(self.bands)}, as bands of '
                f'LoadImageBands says, received {there} bands; indices begin at 0'
            )
        return image if self.bands is None else image[..., self.bands]

    @staticmethod
    def _require_bytes(image: np.ndarray, path: str) -> None:
        if image.dtype != np.uint8:
            raise DataError(
                f'{cut(path)}: expected bands of 8 bits, received {image.dtype} with values from '
                f'{image.min()} to {image.max()} in this image; set value_range=(low, high) of '
                'LoadImageBands to what shall become black and white in all images'
            )

    @staticmethod
    def _scaled(image: np.ndarray, path: str, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        if image.dtype.kind not in 'uif':
            raise DataError(
                f'{cut(path)}: expected bands of integers or floats, received {image.dtype}; '
                'convert the file'
            )
        values = image.astype(np.float32)
        if not np.isfinite(values).all():
            raise DataError(
                f'{cut(path)}: expected numbers in every pixel, received '
                f'{int((~np.isfinite(values)).sum())} that are not finite; fill what is missing, '
                'for example with the lower end of value_range'
            )
        return np.clip((values - low) * (255 / (high - low)), 0, 255)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(in_channels={self.in_channels}, '
            f'value_range={self.value_range}, bands={self.bands}, reader={self.reader!r})'
        )


def _limits(value_range: Sequence, in_channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends, (1,) or (C,)."""
    try:
        pairs = np.asarray(value_range, dtype=np.float32)
    except (TypeError, ValueError):
        pairs = np.empty(0, np.float32)
    single = pairs.shape == (2,)
    fits = single or pairs.shape == (in_channels, 2)
    pairs = pairs[None] if single else pairs
    if not fits or not np.isfinite(pairs).all() or not (pairs[:, 0] < pairs[:, 1]).all():
        raise ConfigError(
            f'value_range: expected (low, high) with low < high, or one such pair for each of '
            f'{in_channels} bands, received {received(value_range)}'
        )
    return pairs[:, 0], pairs[:, 1]
