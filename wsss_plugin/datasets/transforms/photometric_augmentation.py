"""Changes of colour and sharpness that leave every pixel where it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import TRANSFORMS
from PIL import Image, ImageFilter
from torch import Tensor
from torchvision.transforms import v2

from wsss_plugin.datasets.transforms.band_picture import Picture, blur_bands, jitter_bands
from wsss_plugin.errors import ConfigError


@TRANSFORMS.register_module()
class PhotometricAugmentation:
    """Colour jitter, greyscale, Gaussian blur and solarisation, each with its own probability.

    Of bands brightness, contrast and sharpness change, and solarisation inverts them: they have no
    saturation, no hue and no grey.

    Args:
        jitter (Sequence[float]): Strengths of brightness, contrast, saturation and hue.
        jitter_prob (float): Probability of the colour jitter.
        grey_prob (float): Probability of turning grey.
        blur_prob (float): Probability of the blur.
        blur_radius (Sequence[float]): Smallest and largest radius of the blur in pixels.
        solarise_prob (float): Probability of the solarisation.
        solarise_threshold (int): Grey level from which values are inverted.

    Raises:
        ConfigError: A probability or range is impossible.

    Example:
        >>> same = PhotometricAugmentation(jitter_prob=0, grey_prob=0, blur_prob=0)
        >>> same(Image.new('RGB', (2, 2), (9, 8, 7))).getpixel((0, 0))
        (9, 8, 7)
    """

    def __init__(
        self,
        jitter: Sequence[float] = (0.4, 0.4, 0.2, 0.1),
        jitter_prob: float = 0.8,
        grey_prob: float = 0.2,
        blur_prob: float = 1.0,
        blur_radius: Sequence[float] = (0.1, 2.0),
        solarise_prob: float = 0.0,
        solarise_threshold: int = 128,
    ) -> None:
        probabilities = {
            'jitter_prob': jitter_prob,
            'grey_prob': grey_prob,
            'blur_prob': blur_prob,
            'solarise_prob': solarise_prob,
        }
        for name, value in probabilities.items():
            if not 0 <= value <= 1:
                raise ConfigError(f'{name}: expected a value from 0 to 1, received {value}')
        if len(jitter) != 4:
            raise ConfigError(f'jitter: expected four strengths, received {jitter!r}')
        if len(blur_radius) != 2 or not 0 <= blur_radius[0] <= blur_radius[1]:
            raise ConfigError(
                f'blur_radius: expected 0 <= smallest <= largest, received {blur_radius!r}'
            )
        self.blur_prob = blur_prob
        self.blur_radius = (float(blur_radius[0]), float(blur_radius[1]))
        self.jitter = tuple(jitter)
        self.jitter_prob = jitter_prob
        self.solarise_prob = solarise_prob
        self.solarise_threshold = solarise_threshold
        self.colour = v2.Compose(
            [
                v2.RandomApply([v2.ColorJitter(*jitter)], p=jitter_prob),
                v2.RandomGrayscale(p=grey_prob),
            ]
        )
        self.solarise = v2.RandomSolarize(threshold=solarise_threshold, p=solarise_prob)

    def __call__(self, picture: Picture) -> Picture:
        """Augments a picture.

        Args:
            picture (Picture): RGB, or bands (C, H, W), 0 to 255.

        Returns:
            Picture: Of the same kind and size.
        """
        if isinstance(picture, Tensor):
            return self._of_bands(picture)
        return self._of_rgb(picture)

    def _of_rgb(self, picture: Image.Image) -> Image.Image:
        picture = self.colour(picture)
        if torch.rand(()) < self.blur_prob:
            radius = float(torch.empty(()).uniform_(*self.blur_radius))
            picture = picture.filter(ImageFilter.GaussianBlur(radius))
        return self.solarise(picture)

    def _of_bands(self, picture: Tensor) -> Tensor:
        if torch.rand(()) < self.jitter_prob:
            picture = jitter_bands(picture, *self.jitter[:2])
        if torch.rand(()) < self.blur_prob:
            radius = float(torch.empty(()).uniform_(*self.blur_radius))
            picture = blur_bands(picture, radius)
        if torch.rand(()) < self.solarise_prob:
            picture = torch.where(picture >= self.solarise_threshold, 255 - picture, picture)
        return picture
