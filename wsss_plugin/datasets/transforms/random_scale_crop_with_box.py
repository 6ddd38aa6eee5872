"""Random scale, flip, padding and crop that record where the image lies in the crop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image

from wsss_plugin.datasets.transforms.band_picture import is_rgb, resize_bands
from wsss_plugin.errors import ConfigError

Box = tuple[int, int, int, int]
_RESAMPLING = {'bilinear': Image.Resampling.BILINEAR, 'bicubic': Image.Resampling.BICUBIC}


def as_size(size: int | Sequence[int], name: str) -> tuple[int, int]:
    """Returns a size argument as (height, width).

    Args:
        size (int | Sequence[int]): One length for a square, or height and width.
        name (str): Name of the argument, for the error.

    Returns:
        tuple[int, int]: Height and width in pixels.

    Raises:
        ConfigError: Not one or two positive integers.

    Example:
        >>> as_size(96, 'crop_size')
        (96, 96)
    """
    values = (size, size) if isinstance(size, int) else tuple(size)
    if len(values) != 2 or not all(isinstance(v, int) and v > 0 for v in values):
        raise ConfigError(f'{name}: expected one or two positive integers, received {size!r}')
    return values[0], values[1]


def resize(image: np.ndarray, height: int, width: int, mode: str = 'bilinear') -> np.ndarray:
    """Resizes with Pillow, which averages over the covered area when it shrinks.

    Args:
        image (np.ndarray): uint8 (H, W) or (H, W, 3), or bands (H, W, C), 0 to 255.
        height (int): New height in pixels.
        width (int): New width in pixels.
        mode (str): ``'bilinear'``, ``'bicubic'`` or ``'nearest'``.

    Returns:
        np.ndarray: The image (height, width) or (height, width, C), of the same type.
    """
    resampling = _RESAMPLING.get(mode, Image.Resampling.NEAREST)
    if image.ndim == 3 and not is_rgb(image):
        return resize_bands(image, height, width, resampling)
    return np.asarray(Image.fromarray(image).resize((width, height), resampling))


def crop_with_box(
    image: np.ndarray,
    size: tuple[int, int],
    pad_offset: tuple[int, int],
    crop_offset: tuple[int, int],
    pad_val: float | Sequence[float] = 0,
) -> tuple[np.ndarray, Box]:
    """Places an image on a canvas of at least ``size`` and crops ``size`` from it.

    Args:
        image (np.ndarray): (H, W) or (H, W, C).
        size (tuple[int, int]): Height and width of the crop in pixels.
        pad_offset (tuple[int, int]): Row and column of the image's corner on the canvas.
        crop_offset (tuple[int, int]): Row and column of the crop's corner on the canvas.
        pad_val (float | Sequence[float]): Value around the image, one or one per channel.

    Returns:
        tuple[np.ndarray, Box]: The crop and the image's area in it as (row0, row1, col0, col1),
        end-exclusive.

    Example:
        >>> crop, box = crop_with_box(np.ones((2, 3)), (4, 4), (1, 0), (0, 0))
        >>> box, int(crop.sum())
        ((1, 3, 0, 3), 6)
    """
    crop = np.empty((*size, *image.shape[2:]), image.dtype)
    crop[...] = np.asarray(pad_val, dtype=image.dtype)
    # Corner of the image in coordinates of the crop; negative where the crop starts inside it.
    row, col = (pad - start for pad, start in zip(pad_offset, crop_offset, strict=True))
    row0, row1 = max(row, 0), min(row + image.shape[0], size[0])
    col0, col1 = max(col, 0), min(col + image.shape[1], size[1])
    crop[row0:row1, col0:col1] = image[row0 - row : row1 - row, col0 - col : col1 - col]
    return crop, (row0, row1, col0, col1)


def flip_box(box: Box, width: int) -> Box:
    """Returns a box after a horizontal flip of a picture ``width`` pixels wide.

    Example:
        >>> flip_box((0, 4, 1, 3), 10)
        (0, 4, 7, 9)
    """
    return box[0], box[1], width - box[3], width - box[2]


@TRANSFORMS.register_module()
class RandomScaleCropWithBox(BaseTransform):
    """Scales by U(a, b), flips, pads to the crop at a random offset, crops, and records the box.

    The image's height and width become int(s h) and int(s w). One fair flip stands for the two in
    a row of the published pipeline: together they are again a fair flip, and the box follows it.
    A mask in ``gt_seg_map`` undergoes the same geometry.

    Args:
        crop_size (int | Sequence[int]): Side, or height and width, of the crop in pixels.
        scale_range (Sequence[float]): Smallest and largest scale.
        flip_prob (float): Probability of the horizontal flip.
        pad_val (float | Sequence[float]): Padding, one value or one per channel as loaded.
        seg_pad_val (int): Padding of the mask.

    Raises:
        ConfigError: A size, range or probability is impossible.
    """

    def __init__(
        self,
        crop_size: int | Sequence[int] = 448,
        scale_range: Sequence[float] = (0.5, 2.0),
        flip_prob: float = 0.5,
        pad_val: float | Sequence[float] = 0,
        seg_pad_val: int = 255,
    ) -> None:
        self.crop_size = as_size(crop_size, 'crop_size')
        if len(scale_range) != 2 or not 0 < scale_range[0] <= scale_range[1]:
            raise ConfigError(
                f'scale_range: expected 0 < smallest <= largest, received {scale_range!r}'
            )
        if not 0 <= flip_prob <= 1:
            raise ConfigError(f'flip_prob: expected a value from 0 to 1, received {flip_prob}')
        self.scale_range = (float(scale_range[0]), float(scale_range[1]))
        self.flip_prob = flip_prob
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    def transform(self, results: dict) -> dict:
        """Replaces ``img`` by the crop.

        Args:
            results (dict): Has ``img`` (H, W, C), 0 to 255, perhaps ``gt_seg_map`` (H, W).

        Returns:
            dict: ``results`` with ``img`` (h, w, C), ``ori_img`` (the untouched image), ``box``
            (row0, row1, col0, col1) in pixels of the crop, ``image_box`` (the same of the whole
            image, which may reach beyond the crop), ``flip``, ``flip_direction``,
            ``scale_factor`` (width, height), ``img_shape`` and ``pad_shape``.
        """
        image = results['img']
        scale = float(torch.empty(()).uniform_(*self.scale_range))
        height, width = (max(int(scale * side), 1) for side in image.shape[:2])
        flip = bool(torch.rand(()) < self.flip_prob)
        pads = self._offsets((height, width), self.crop_size)
        starts = self._offsets(self.crop_size, (height, width))

        def place(array: np.ndarray, mode: str, value: float | Sequence[float]) -> tuple:
            scaled = resize(array, height, width, mode)
            return crop_with_box(
                scaled[:, ::-1] if flip else scaled, self.crop_size, pads, starts, value
            )

        row, col = (pad - start for pad, start in zip(pads, starts, strict=True))
        results['ori_img'] = image
        results['image_box'] = (row, row + height, col, col + width)
        results['img'], results['box'] = place(image, 'bilinear', self.pad_val)
        if 'gt_seg_map' in results:
            results['gt_seg_map'], _ = place(results['gt_seg_map'], 'nearest', self.seg_pad_val)
        results['flip'] = flip
        results['flip_direction'] = 'horizontal' if flip else None
        results['scale_factor'] = (width / image.shape[1], height / image.shape[0])
        results['img_shape'] = results['pad_shape'] = self.crop_size
        return results

    @staticmethod
    def _offsets(inner: tuple[int, int], outer: tuple[int, int]) -> tuple[int, int]:
        """Returns random offsets of ``inner`` in ``outer``, 0 along axes where it is larger."""
        room = [max(large - small, 0) for small, large in zip(inner, outer, strict=True)]
        return int(torch.randint(room[0] + 1, ())), int(torch.randint(room[1] + 1, ()))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(crop_size={self.crop_size}, scale_range={self.scale_range}, '
            f'flip_prob={self.flip_prob}, pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val})'
        )
