"""The computation of an ONNX file, from pixels to classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wsss_plugin import compat
from wsss_plugin.errors import ConfigError


class ExportedNetwork(nn.Module):
    """A segmentor from the pixels of an image to probabilities and labels at its size.

    Normalisation and the order of colours are part of it, so that whoever runs the file needs
    neither. Padding and resizing of the test pipeline are not.

    Args:
        segmentor: A segmentor with ``encode_decode``, such as ``EncoderDecoder``.

    Raises:
        ConfigError: If the segmentor gives no score for each class.

    Attributes:
        channels: Number of channels of an image; three are red, green and blue.
    """

    def __init__(self, segmentor: Any) -> None:
        super().__init__()
        if segmentor.out_channels != segmentor.num_classes:
            raise ConfigError(
                f'expected scores of {segmentor.num_classes} classes for an ONNX file, received '
                f'{segmentor.out_channels}; set out_channels of the decode head to the number of '
                'classes'
            )
        self.segmentor = segmentor
        preprocessor = segmentor.data_preprocessor
        self._normalises = bool(getattr(preprocessor, '_enable_normalize', False))
        self.channels = len(preprocessor.mean) if self._normalises else _first_channels(segmentor)
        # Loaders give blue, green, red; without an exchange the network was trained on that.
        self._reverses = self.channels == 3 and not compat.swaps_colours(preprocessor)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities and labels.

        Args:
            image: Pixels as they are loaded, float (B, C, H, W); of 8 bits from 0 to 255. Three
                channels are red, green and blue.

        Returns:
            Probabilities (B, K + 1, H, W) and the most probable class, int64 (B, H, W).
        """
        size = image.shape[-2], image.shape[-1]
        if self._reverses:
            image = image.flip(1)
        if self._normalises:
            preprocessor = self.segmentor.data_preprocessor
            image = (image - preprocessor.mean) / preprocessor.std
        meta = {'img_shape': size, 'pad_shape': size, 'ori_shape': size}
        logits = self.segmentor.encode_decode(image, [meta])
        return logits.softmax(dim=1), logits.argmax(dim=1)


def _first_channels(segmentor: nn.Module) -> int:
    convolutions = (part for part in segmentor.modules() if isinstance(part, nn.Conv2d))
    return next(convolutions).in_channels


def example_image(
    channels: int, size: tuple[int, int], seed: int, largest: float = 255.0
) -> Tensor:
    """An image that export and check run on: coarse and fine random patterns.

    Args:
        channels: Number of channels.
        size: Height and width in pixels.
        seed: Seed of the patterns.
        largest: Largest value of a pixel.

    Returns:
        Whole numbers from 0 to ``largest``, float (C, H, W).

    >>> example_image(3, (8, 12), 0).shape
    torch.Size([3, 8, 12])
    """
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, channels, 4, 4, generator=generator)
    fine = torch.rand(channels, *size, generator=generator)
    wide = nn.functional.interpolate(coarse, size=size, mode='bilinear', align_corners=False)[0]
    return ((0.7 * wide + 0.3 * fine) * largest).round()
