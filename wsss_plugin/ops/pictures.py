"""Normalised images as the 8-bit pictures that they were."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_as_picture(image: Tensor, size: Sequence[int], mean: Tensor, std: Tensor) -> Tensor:
    """Resizes normalised images bicubically as Pillow resizes the 8-bit pictures behind them.

    Pillow resizes first the width, then the height, and rounds and clips to 0 to 255 after each;
    of a thousand values about one differs by a grey level.

    Args:
        image: Normalised images (B, C, H, W), ``(picture - mean) / std``.
        size: Height and width of the result in pixels.
        mean: Mean of each channel, (C,), in grey levels of 0 to 255.
        std: Standard deviation of each channel, (C,), in grey levels.

    Returns:
        Normalised images (B, C, *size).

    >>> picture, mean, std = torch.tensor([0.0, 255.0]), torch.tensor([100.0]), torch.tensor([50.0])
    >>> image = ((picture - mean) / std).view(1, 1, 1, 2)
    >>> (resize_as_picture(image, (1, 4), mean, std) * std + mean).flatten().round()
    tensor([  0.,  53., 202., 255.])
    """
    mean, std = (values.to(image).view(-1, 1, 1) for values in (mean, std))
    picture = (image * std + mean).round()
    for step in ((picture.shape[-2], size[1]), tuple(size)):
        resized = F.interpolate(picture, step, mode='bicubic', align_corners=False, antialias=True)
        # Half a grey level is rounded up, unlike by torch.round.
        picture = torch.floor(resized.clamp(0, 255) + 0.5)
    return (picture - mean) / std
