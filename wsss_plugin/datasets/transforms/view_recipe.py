"""How one view of a training sample is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmseg.registry import TRANSFORMS
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from wsss_plugin.datasets.transforms.band_picture import Picture
from wsss_plugin.ops.view_geometry import ViewGeometry

Photometric = Callable[[Picture], Picture]


class ViewRecipe:
    """Source, geometry and change of colour of a view: a part, resized, mirrored, then coloured.

    Args:
        of (str): Source: ``'crop'`` (the training crop without change of colour), ``'image'``
            (the untouched image) or the name of another view.
        scale (float): Size of the view, as a factor of the crop's.
        flip (bool | float): Whether the view is mirrored against its source, or how probably.
        area (Sequence[float] | None): Smallest and largest share of the source's area in a random
            part of it; the whole source if None.
        ratio (Sequence[float]): Smallest and largest aspect ratio of that part.
        interpolation (str): ``'bilinear'`` or ``'bicubic'``; by Pillow, and by torch for bands.
        photometric (Mapping | Callable | None): Config of a registered transform that takes and
            returns a picture, such a callable, or None for no change.
        key (str): Config key of the view, for the errors.

    Raises:
        ValueError: A number is impossible.
    """

    def __init__(
        self,
        of: str = 'crop',
        scale: float = 1.0,
        flip: bool | float = False,
        area: Sequence[float] | None = None,
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: str = 'bilinear',
        photometric: Mapping[str, Any] | Photometric | None = None,
        key: str = 'view',
    ) -> None:
        if not isinstance(of, str):
            raise ValueError(
                f"{key}.of: expected 'crop', 'image' or the name of a view, received {of!r}"
            )
        if not 0 < scale < float('inf'):
            raise ValueError(f'{key}.scale: expected a positive number, received {scale!r}')
        if not 0 <= flip <= 1:
            raise ValueError(
                f'{key}.flip: expected True, False or a probability, received {flip!r}'
            )
        if interpolation not in ('bilinear', 'bicubic'):
            raise ValueError(
                f"{key}.interpolation: expected 'bilinear' or 'bicubic', received {interpolation!r}"
            )
        check_range(f'{key}.ratio', ratio)
        if area is not None:
            check_range(f'{key}.area', area, 1)
        self.of = of
        self.scale = float(scale)
        self.flip = flip
        self.area = None if area is None else tuple(area)
        self.ratio = tuple(ratio)
        self.interpolation = v2.InterpolationMode(interpolation)
        self.photometric = (
            TRANSFORMS.build(dict(photometric)) if isinstance(photometric, Mapping) else photometric
        )

    def __call__(
        self, picture: Picture, geometry: ViewGeometry | None, crop_size: tuple[int, int]
    ) -> tuple[Picture, ViewGeometry | None]:
        """Makes the view.

        Args:
            picture (Picture): The source.
            geometry (ViewGeometry | None): The source's geometry, if known.
            crop_size (tuple[int, int]): Height and width of the training crop in pixels.

        Returns:
            tuple[Picture, ViewGeometry | None]: The view and its geometry, if known.
        """
        height, width = (max(1, round(self.scale * side)) for side in crop_size)
        top, left, rows, cols = self._part(picture)
        picture = F.resized_crop(
            picture, top, left, rows, cols, [height, width], interpolation=self.interpolation
        )
        flip = self.flip if isinstance(self.flip, bool) else bool(torch.rand(1) < self.flip)
        if flip:
            picture = F.horizontal_flip(picture)
        if self.photometric is not None:
            picture = self.photometric(picture)
        if geometry is not None:
            geometry = geometry.part((top, top + rows, left, left + cols), flip, (height, width))
        return picture, geometry

    def _part(self, picture: Picture) -> tuple[int, int, int, int]:
        if self.area is None:
            height, width = F.get_size(picture)
            return 0, 0, height, width
        return v2.RandomResizedCrop.get_params(picture, list(self.area), list(self.ratio))


def check_range(name: str, value: Sequence[float], largest: float = float('inf')) -> None:
    """Raises a ValueError unless a value is a range of positive numbers.

    Args:
        name (str): Name of the argument, for the error.
        value (Sequence[float]): Smallest and largest number.
        largest (float): The largest that is possible.

    Raises:
        ValueError: It is none.

    Example:
        >>> check_range('area', (0.4, 1.0), 1)
    """
    if len(value) != 2 or not 0 < value[0] <= value[1]:
        raise ValueError(f'{name}: expected 0 < smallest <= largest, received {value!r}')
    if value[1] > largest:
        raise ValueError(f'{name}: expected at most {largest}, received {value!r}')
