"""The three views of an image that token contrast compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image
from torchvision.transforms import v2

from wsss_plugin.datasets.transforms.photometric_augmentation import PhotometricAugmentation

_PUBLISHED: dict[str, dict[str, Any]] = {
    'view1': {'blur_prob': 1.0},
    'local': {'blur_prob': 0.5},
    'view2': {'blur_prob': 0.1, 'solarise_prob': 0.2},
}


@TRANSFORMS.register_module()
class MultiCropViews(BaseTransform):
    """Makes global view 1, its local twin and global view 2.

    View 1 and the local image are the crop of :class:`RandomScaleCropWithBox`, each with its own
    change of colour and sharpness and neither moved, so that box, mask and regions of interest
    found on view 1 hold for both. View 2 is a random resized crop of the untouched image.

    Args:
        view2_scale (Sequence[float]): Smallest and largest share of the image's area in view 2.
        view2_ratio (Sequence[float]): Smallest and largest aspect ratio of that part.
        view2_flip_prob (float): Probability of flipping view 2.
        view1 (Mapping | None): Arguments of :class:`PhotometricAugmentation` that differ from the
            published ones for view 1 (blur 1.0).
        local (Mapping | None): The same for the local image (blur 0.5).
        view2 (Mapping | None): The same for view 2 (blur 0.1, solarise 0.2).
        views (Sequence[str]): Views to make, some of ``view1``, ``local`` and ``view2``.

    Raises:
        TypeError: A view's arguments are unknown.
        ValueError: A range or probability is impossible.
    """

    def __init__(
        self,
        view2_scale: Sequence[float] = (0.4, 1.0),
        view2_ratio: Sequence[float] = (3 / 4, 4 / 3),
        view2_flip_prob: float = 0.5,
        view1: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        view2: Mapping[str, Any] | None = None,
        views: Sequence[str] = ('view1', 'local', 'view2'),
    ) -> None:
        for name, value in (('view2_scale', view2_scale), ('view2_ratio', view2_ratio)):
            if len(value) != 2 or not 0 < value[0] <= value[1]:
                raise ValueError(f'{name}: expected 0 < smallest <= largest, received {value!r}')
        if view2_scale[1] > 1:
            raise ValueError(f'view2_scale: expected at most 1, received {view2_scale!r}')
        if not views or not set(views) <= set(_PUBLISHED):
            raise ValueError(f'views: expected some of {tuple(_PUBLISHED)}, received {views!r}')
        if not 0 <= view2_flip_prob <= 1:
            raise ValueError(
                f'view2_flip_prob: expected a value from 0 to 1, received {view2_flip_prob}'
            )
        self.view2_scale = tuple(view2_scale)
        self.view2_ratio = tuple(view2_ratio)
        self.views = tuple(views)
        self.view2_flip = v2.RandomHorizontalFlip(p=view2_flip_prob)
        given = {'view1': view1, 'local': local, 'view2': view2}
        self.photometric = {
            name: PhotometricAugmentation(**{**_PUBLISHED[name], **(given[name] or {})})
            for name in self.views
        }

    def transform(self, results: dict) -> dict:
        """Adds the views.

        Args:
            results (dict): Has ``img`` (the crop, uint8 (h, w, 3), BGR) and ``ori_img``.

        Returns:
            dict: ``results`` with ``views``, a dict of uint8 (h, w, 3) BGR arrays ``view1``,
            ``local`` and ``view2``.

        Raises:
            KeyError: ``ori_img`` is missing.
        """
        if 'view2' in self.views and 'ori_img' not in results:
            raise KeyError(
                'ori_img: expected the untouched image for view 2, received none; put '
                'RandomScaleCropWithBox before MultiCropViews in the pipeline'
            )
        crop = _to_picture(results['img'])
        results['views'] = {}
        for name in self.views:
            source = crop
            if name == 'view2':
                source = self._second_view(
                    _to_picture(results['ori_img']), results['img'].shape[:2]
                )
            results['views'][name] = _to_array(self.photometric[name](source))
        return results

    def _second_view(self, picture: Image.Image, size: tuple[int, int]) -> Image.Image:
        crop = v2.RandomResizedCrop(
            size,
            scale=self.view2_scale,
            ratio=self.view2_ratio,
            interpolation=v2.InterpolationMode.BICUBIC,
        )
        return self.view2_flip(crop(picture))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(view2_scale={self.view2_scale}, '
            f'view2_ratio={self.view2_ratio}, views={self.views})'
        )


def _to_picture(image: np.ndarray) -> Image.Image:
    # Saturation, hue and grey weigh the channels, so the order matters.
    return Image.fromarray(np.ascontiguousarray(image[..., ::-1]))


def _to_array(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)[..., ::-1]
