"""A strong change of colour and sharpness by operations drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from mmseg.registry import TRANSFORMS
from PIL import Image
from torchvision.transforms.v2 import functional as F

from wsss_plugin.errors import ConfigError

_Operation = Callable[[Image.Image, float], Image.Image]


def _posterise(picture: Image.Image, strength: float) -> Image.Image:
    # Half of a bit is none, and no bit at all would be a black picture.
    return F.posterize(picture, bits=max(1, int(6 * strength + 1e-6)))


def _enhanced(enhance: _Operation) -> _Operation:
    return lambda picture, strength: enhance(picture, 0.1 + 1.8 * strength)


_OPERATIONS: dict[str, _Operation] = {
    'autocontrast': lambda picture, _: F.autocontrast(picture),
    'equalise': lambda picture, _: F.equalize(picture),
    'posterise': _posterise,
    'colour': _enhanced(F.adjust_saturation),
    'contrast': _enhanced(F.adjust_contrast),
    'brightness': _enhanced(F.adjust_brightness),
    'sharpness': _enhanced(F.adjust_sharpness),
}


@TRANSFORMS.register_module()
class RandomPhotometricOperations:
    """Operations in a row, each drawn from a list, all of one strength (DuPL's RandAugment).

    Of strength s = magnitude / levels: ``posterise`` keeps max(1, int(6 s)) bits; ``colour``,
    ``contrast``, ``brightness`` and ``sharpness`` are scaled by 0.1 + 1.8 s, where 1 changes
    nothing; ``autocontrast`` and ``equalise`` have no strength. Every pixel stays where it is.

    Args:
        num (int): How many operations are drawn, with replacement.
        magnitude (int): Strength in levels.
        levels (int): Level of the full strength.
        operations (Sequence[str]): Names of the operations to draw from.

    Raises:
        ValueError: A number is impossible or an operation unknown.

    Example:
        >>> strong = RandomPhotometricOperations(num=1, operations=('posterise',))
        >>> strong(Image.new('RGB', (2, 2), (255, 70, 10))).getpixel((0, 0))
        (192, 64, 0)
    """

    def __init__(
        self,
        num: int = 5,
        magnitude: int = 10,
        levels: int = 30,
        operations: Sequence[str] = tuple(_OPERATIONS),
    ) -> None:
        if not isinstance(num, int) or num < 0:
            raise ValueError(f'num: expected a number of operations, received {num!r}')
        if levels <= 0 or not 0 <= magnitude <= levels:
            raise ValueError(
                f'magnitude: expected a value from 0 to levels ({levels}), received {magnitude}'
            )
        if not operations or not set(operations) <= set(_OPERATIONS):
            raise ValueError(
                f'operations: expected some of {tuple(_OPERATIONS)}, received {operations!r}'
            )
        self.num = num
        self.strength = magnitude / levels
        self.operations = tuple(operations)

    def __call__(self, picture: Image.Image) -> Image.Image:
        """Augments a picture.

        Args:
            picture (Image.Image): RGB.

        Returns:
            Image.Image: RGB, of the same size.

        Raises:
            ConfigError: The picture consists of bands.
        """
        if isinstance(picture, torch.Tensor):
            raise ConfigError(
                'expected RGB pictures of 8 bits for RandomPhotometricOperations, received '
                f'{len(picture)} bands; take PhotometricAugmentation for them'
            )
        for index in torch.randint(len(self.operations), (self.num,)).tolist():
            picture = _OPERATIONS[self.operations[index]](picture, self.strength)
        return picture

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(num={self.num}, strength={self.strength:.3f}, '
            f'operations={self.operations})'
        )
