"""Where a pipeline opens masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mmcv.transforms import LoadAnnotations
from PIL import Image

from wsss_plugin.errors import ConfigError, DataError


class WholeMask:
    """Loads a mask as the toolbox does and keeps sides of one pixel, which that one drops.

    Args:
        load (Callable): The toolbox's transform.
    """

    def __init__(self, load: Callable[[dict], dict]) -> None:
        self.load = load

    def __call__(self, results: dict) -> dict:
        """Adds ``gt_seg_map`` (H, W).

        Args:
            results (dict): Has ``seg_map_path`` and ``ori_shape``.

        Returns:
            dict: ``results`` with the mask.

        Raises:
            DataError: The mask has one row, column or pixel, and the image has another size.
        """
        results = self.load(results)
        mask = results.get('gt_seg_map')
        if isinstance(mask, np.ndarray) and mask.ndim < 2 and 'ori_shape' in results:
            height, width = results['ori_shape'][:2]
            found = _size(results['seg_map_path']) or (height, mask.size // height)
            if found != (height, width):
                raise DataError(
                    f'{results["seg_map_path"]}: expected a mask at the size of its image '
                    f'{height}x{width}, received one of {found[0]}x{found[1]}; replace it'
                )
            results['gt_seg_map'] = mask.reshape(height, width)
        return results

    def __repr__(self) -> str:
        return repr(self.load)


def _size(path: str) -> tuple[int, int] | None:
    """Height and width that the file says, or None where it is not on this machine."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except OSError:
        return None


def open_whole_masks(steps: list[Any]) -> bool:
    """Lets a pipeline load masks by :class:`WholeMask`, also in its alternatives.

    Args:
        steps (list): Transforms as they are built; changed in place.

    Returns:
        bool: Whether the toolbox's transform opens masks that are local files.

    Raises:
        ConfigError: The transform takes the background for ignored.
    """
    local = False
    for place, index in _loaders(steps):
        load = place[index]
        require_no_shift(load.__dict__.get('reduce_zero_label'), 'LoadAnnotations of the pipeline')
        local |= not load.backend_args
        place[index] = WholeMask(load)
    return local


def require_no_shift(reduce_zero_label: Any, where: str) -> None:
    """Checks that nothing takes the background for ignored and shifts the classes by one.

    Args:
        reduce_zero_label (Any): What the toolbox's argument of this name is.
        where (str): Where it is set, for the error.

    Raises:
        ConfigError: It is set.
    """
    if reduce_zero_label:
        raise ConfigError(
            f'reduce_zero_label of {where}: expected False, received {reduce_zero_label!r}, which '
            'would ignore the background and read every class as the one before it; leave it out, '
            'and name the values of masks without a background by mask_classes'
        )


def _loaders(steps: list[Any]) -> Iterator[tuple[list[Any], int]]:
    for index, step in enumerate(steps):
        if isinstance(step, LoadAnnotations) and getattr(step, 'with_seg', True):
            yield steps, index
        inner = getattr(step, 'transforms', None)
        for part in (step, inner, *getattr(step, 'subroutines', ())):
            nested = getattr(part, 'transforms', None)
            if isinstance(nested, list):
                yield from _loaders(nested)


def has_mask(result: Any) -> bool:
    """Whether a pipeline has loaded a mask.

    Args:
        result (Any): What it gave.

    Returns:
        bool: The answer.
    """
    samples = result.get('data_samples', result) if isinstance(result, dict) else ()
    # Test-time augmentation makes several samples of an image.
    first = samples[0] if isinstance(samples, list) else samples
    return 'gt_sem_seg' in first or 'gt_seg_map' in first
