"""The views of an image that a training sample consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from wsss_plugin.datasets.seeded_index import random_state
from wsss_plugin.datasets.transforms.band_picture import Picture, to_array, to_picture
from wsss_plugin.datasets.transforms.photometric_augmentation import PhotometricAugmentation
from wsss_plugin.datasets.transforms.view_recipe import ViewRecipe, check_range
from wsss_plugin.ops.view_geometry import ViewGeometry

_PUBLISHED: dict[str, dict[str, Any]] = {
    'view1': {'blur_prob': 1.0},
    'local': {'blur_prob': 0.5},
    'view2': {'blur_prob': 0.1, 'solarise_prob': 0.2},
}
_SOURCES = ('crop', 'image')
_Source = tuple[Picture, ViewGeometry | None]


@TRANSFORMS.register_module()
class MultiCropViews(BaseTransform):
    """Makes global view 1, its local twin, global view 2, and further views by name.

    View 1 and the local image are the crop of :class:`RandomScaleCropWithBox`, each with its own
    change of colour and sharpness and neither moved, so that box, mask and regions of interest
    found on view 1 hold for both. View 2 is a random resized crop of the untouched image.

    A further view is a :class:`ViewRecipe`. It draws its random numbers from the sample's seed and
    its own name, so that it changes no pixel of another view.

    Args:
        view2_scale (Sequence[float]): Smallest and largest share of the image's area in view 2.
        view2_ratio (Sequence[float]): Smallest and largest aspect ratio of that part.
        view2_flip_prob (float): Probability of flipping view 2.
        view1 (Mapping | None): Arguments of :class:`PhotometricAugmentation` that differ from the
            published ones for view 1 (blur 1.0).
        local (Mapping | None): The same for the local image (blur 0.5).
        view2 (Mapping | None): The same for view 2 (blur 0.1, solarise 0.2).
        views (Sequence[str] | Mapping): Views to make, some of ``view1``, ``local`` and ``view2``;
            or changes to these three: arguments of :class:`ViewRecipe` by the name of a further
            view, None by the name of one of the three that is not wanted.

    Raises:
        TypeError: A view's arguments are unknown.
        ValueError: A range or probability is impossible, or a view's source is not there.

    Example:
        >>> strong = dict(of='view1', scale=0.75, flip=True)
        >>> transform = MultiCropViews(views=dict(view2=None, strong=strong))
        >>> sample = transform({'img': np.zeros((8, 12, 3), np.uint8), 'sample_seed': 0})
        >>> {name: view.shape[:2] for name, view in sample['views'].items()}
        {'view1': (8, 12), 'local': (8, 12), 'strong': (6, 9)}
        >>> sample['view_geometry']['strong'].flip
        True
    """

    def __init__(
        self,
        view2_scale: Sequence[float] = (0.4, 1.0),
        view2_ratio: Sequence[float] = (3 / 4, 4 / 3),
        view2_flip_prob: float = 0.5,
        view1: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        view2: Mapping[str, Any] | None = None,
        views: Sequence[str] | Mapping[str, Mapping[str, Any] | None] = ('view1', 'local', 'view2'),
    ) -> None:
        check_range('view2_scale', view2_scale, 1)
        check_range('view2_ratio', view2_ratio)
        if not 0 <= view2_flip_prob <= 1:
            raise ValueError(
                f'view2_flip_prob: expected a value from 0 to 1, received {view2_flip_prob}'
            )
        self.view2_scale = tuple(view2_scale)
        self.view2_ratio = tuple(view2_ratio)
        self.view2_flip_prob = float(view2_flip_prob)
        published, further = _split(views)
        given = {'view1': view1, 'local': local, 'view2': view2}
        self.photometric = {
            name: PhotometricAugmentation(**{**_PUBLISHED[name], **(given[name] or {})})
            for name in published
        }
        self.recipes = {name: self._published_recipe(name) for name in published}
        self.recipes.update(
            {name: _further_recipe(name, further[name]) for name in sorted(further)}
        )
        self.views = tuple(_ordered({name: one.of for name, one in self.recipes.items()}))

    def _published_recipe(self, name: str) -> ViewRecipe:
        if name != 'view2':
            return ViewRecipe(photometric=self.photometric[name])
        return ViewRecipe(
            of='image',
            flip=self.view2_flip_prob,
            area=self.view2_scale,
            ratio=self.view2_ratio,
            interpolation='bicubic',
            photometric=self.photometric[name],
        )

    def transform(self, results: dict) -> dict:
        """Adds the views.

        Args:
            results (dict): Has ``img`` (the crop, uint8 (h, w, 3), BGR, or bands (h, w, C), 0 to
                255); ``ori_img`` if a view is made of the untouched image; perhaps ``box``,
                ``image_box``, ``flip`` and ``sample_seed``.

        Returns:
            dict: ``results`` with ``views``, a dict of such arrays by name, and
            ``view_geometry``, the :class:`ViewGeometry` of each view where it is known.

        Raises:
            KeyError: ``ori_img`` is missing.
        """
        size = results['img'].shape[:2]
        made = self._sources(results)
        for name in self.views:
            recipe = self.recipes[name]
            if name in _PUBLISHED:
                made[name] = recipe(*made[recipe.of], size)
                continue
            with random_state(_view_seed(results, name)):
                made[name] = recipe(*made[recipe.of], size)
        results['views'] = {name: to_array(made[name][0]) for name in self.views}
        results['view_geometry'] = {
            name: made[name][1] for name in self.views if made[name][1] is not None
        }
        return results

    def _sources(self, results: dict) -> dict[str, _Source]:
        """The crop and, where a view is made of it, the untouched image."""
        frame = results['img'].shape[:2]
        crop = ViewGeometry.of_frame(frame, valid=results.get('box'))
        sources: dict[str, _Source] = {'crop': (to_picture(results['img']), crop)}
        if not any(recipe.of == 'image' for recipe in self.recipes.values()):
            return sources
        if 'ori_img' not in results:
            raise KeyError(
                'ori_img: expected the untouched image for view 2, received none; put '
                'RandomScaleCropWithBox before MultiCropViews in the pipeline'
            )
        image, geometry = results['ori_img'], None
        if 'image_box' in results:
            height, width = image.shape[:2]
            geometry = ViewGeometry(
                box=results['image_box'],
                flip=bool(results['flip']),
                frame=frame,
                size=(height, width),
                valid=(0, height, 0, width),
            )
        sources['image'] = (to_picture(image), geometry)
        return sources

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(view2_scale={self.view2_scale}, '
            f'view2_ratio={self.view2_ratio}, views={self.views})'
        )


def _split(
    views: Sequence[str] | Mapping[str, Mapping[str, Any] | None],
) -> tuple[tuple[str, ...], dict[str, Mapping[str, Any]]]:
    """The published views to make, and the arguments of the further ones."""
    if not isinstance(views, Mapping):
        if not views or not set(views) <= set(_PUBLISHED):
            raise ValueError(
                f'views: expected some of {tuple(_PUBLISHED)}, or a dict with further views by '
                f'name, received {views!r}'
            )
        return tuple(views), {}
    for name, recipe in views.items():
        if name in _PUBLISHED and recipe is not None:
            raise ValueError(
                f'views.{name}: expected None, which leaves it out, received {recipe!r}; its '
                f"colours are set by the argument '{name}', another view needs another name"
            )
        if name in _SOURCES:
            raise ValueError(f'views.{name}: the name stands for a source of views; take another')
    further = {name: recipe for name, recipe in views.items() if recipe is not None}
    published = tuple(name for name in _PUBLISHED if name not in views)
    if not published and not further:
        raise ValueError(f'views: expected at least one view, received {views!r}')
    return published, further


def _further_recipe(name: str, arguments: Mapping[str, Any]) -> ViewRecipe:
    if not isinstance(arguments, Mapping):
        raise ValueError(
            f'views.{name}: expected a dict of arguments of ViewRecipe, received {arguments!r}'
        )
    try:
        return ViewRecipe(**arguments, key=f'views.{name}')
    except TypeError as error:
        raise TypeError(f'views.{name}: {error}') from error


def _ordered(sources: Mapping[str, str]) -> list[str]:
    """Names of views such that each stands behind the view that it is made of."""
    ordered: list[str] = []
    waiting = list(sources)
    while waiting:
        ready = [name for name in waiting if sources[name] in (*_SOURCES, *ordered)]
        if not ready:
            name = waiting[0]
            raise ValueError(
                f"views.{name}.of: expected 'crop', 'image' or a view that is made before it, one "
                f'of {[one for one in sources if one not in waiting]}, received {sources[name]!r}'
            )
        ordered += ready
        waiting = [name for name in waiting if name not in ready]
    return ordered


def _view_seed(results: Mapping[str, Any], name: str) -> int:
    """A seed that follows from the sample's own and the view's name."""
    seed = results.get('sample_seed')
    if seed is None:
        # The running stream is looked at, not moved: the view may not change what comes next.
        with torch.random.fork_rng(devices=[]):
            seed = int(torch.randint(2**32, ()))
    return int(np.random.SeedSequence([int(seed), *name.encode()]).generate_state(1)[0])
