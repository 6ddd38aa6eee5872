"""Pictures of any number of bands, in the form that torchvision's transforms take."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

Picture = Image.Image | Tensor
"""RGB of 8 bits as Pillow has it; bands as float32 (C, H, W), 0 to 255."""

_STANDARD_DEVIATIONS = 3


def is_rgb(image: np.ndarray) -> bool:
    """Whether an image is one that Pillow can hold, and not bands.

    Args:
        image: Image (H, W, C).

    Returns:
        True for three channels of 8 bits.

    >>> is_rgb(np.zeros((2, 2, 3), np.uint8)), is_rgb(np.zeros((2, 2, 4), np.uint8))
    (True, False)
    """
    return image.dtype == np.uint8 and image.shape[2:] == (3,)


def to_picture(image: np.ndarray) -> Picture:
    """An image as it is augmented.

    Args:
        image: uint8 (H, W, 3), BGR, or bands (H, W, C), 0 to 255.

    Returns:
        The picture.
    """
    if is_rgb(image):
        # Saturation, hue and grey weigh the channels, so the order matters.
        return Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32))


def to_array(picture: Picture) -> np.ndarray:
    """The inverse of :func:`to_picture`.

    Args:
        picture: The picture.

    Returns:
        uint8 (H, W, 3), BGR, or float32 (H, W, C), 0 to 255.
    """
    if isinstance(picture, Tensor):
        return picture.clamp(0, 255).permute(1, 2, 0).numpy()
    return np.asarray(picture)[..., ::-1]


def as_rgb(image: np.ndarray) -> np.ndarray:
    """An image as people see it.

    Args:
        image: RGB image, or bands (H, W, C), 0 to 255.

    Returns:
        uint8 (H, W, 3): the image itself, the first three bands, or the first one in grey.

    >>> as_rgb(np.full((1, 1, 5), 2.6, np.float32)).tolist()
    [[[3, 3, 3]]]
    """
    if is_rgb(image):
        return image
    chosen = image[..., :3] if image.shape[2] >= 3 else image[..., [0, 0, 0]]
    return np.ascontiguousarray(chosen.clip(0, 255).round().astype(np.uint8))


def resize_bands(image: np.ndarray, height: int, width: int, resampling: int) -> np.ndarray:
    """Resizes band by band with Pillow, which averages over the covered area when it shrinks.

    Args:
        image: Bands (H, W, C), uint8 or float32.
        height: New height in pixels.
        width: New width in pixels.
        resampling: One of Pillow's.

    Returns:
        Bands (height, width, C) of the same type.
    """
    chosen = Image.Resampling(resampling)
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(band)).resize((width, height), chosen))
        for band in np.moveaxis(image, -1, 0)
    ]
    return np.stack(bands, axis=-1)


def jitter_bands(picture: Tensor, brightness: float, contrast: float) -> Tensor:
    """Brightness and contrast of all bands alike, by random factors around 1.

    Args:
        picture: Bands (C, H, W), 0 to 255.
        brightness: Largest distance of the factor from 1.
        contrast: The same, about the mean of each band.

    Returns:
        Bands (C, H, W), 0 to 255.
    """
    brighter, steeper = (
        float(torch.empty(()).uniform_(max(0.0, 1 - strength), 1 + strength))
        for strength in (brightness, contrast)
    )
    picture = (picture * brighter).clamp(0, 255)
    mean = picture.mean(dim=(-2, -1), keepdim=True)
    return ((picture - mean) * steeper + mean).clamp(0, 255)


def blur_bands(picture: Tensor, radius: float) -> Tensor:
    """Blurs every band by a Gaussian.

    Args:
        picture: Bands (C, H, W).
        radius: Standard deviation in pixels, as Pillow's radius.

    Returns:
        Bands (C, H, W).
    """
    # Reflection reaches no further than the picture.
    reach = min(int(_STANDARD_DEVIATIONS * radius + 1), *(side - 1 for side in picture.shape[-2:]))
    return picture if reach < 1 else F.gaussian_blur(picture, [2 * reach + 1] * 2, [radius] * 2)
