"""Images of one size go through a network together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

_MOST_IMAGES, _MOST_MAPS = 4, 512


def usual_batch_size(num_classes: int, augmentations: int = 1) -> int:
    """How many images at once are worth their memory.

    Scores of every class, scale and flip are held at the size of the image.

    Args:
        num_classes: Number of classes.
        augmentations: Scales times flips.

    Returns:
        4, and fewer where 4 images would hold more than 512 maps.

    >>> usual_batch_size(21), usual_batch_size(21, 6), usual_batch_size(81, 6)
    (4, 4, 1)
    """
    return max(1, min(_MOST_IMAGES, _MOST_MAPS // max(num_classes * augmentations, 1)))


def step_by_size(step: Callable[[Any], list[Any]], data: Mapping[str, Any]) -> list[Any]:
    """Runs a step of a network on the images of each size, so that sizes may differ in a batch.

    Args:
        step: Such as ``test_step``; gives one result for each image.
        data: ``inputs``, a list of images (C, H, W) or, of several scales and flips, such a list
            for each of them; the further values are lists of the same form. A batch of another
            form is left as it is.

    Returns:
        The results, in the order of the images.

    >>> import torch
    >>> images = [torch.zeros(3, side, 2) for side in (1, 2, 1)]
    >>> step_by_size(lambda part: [len(part['inputs'])] * len(part['inputs']), {'inputs': images})
    [2, 1, 2]
    """
    sizes = _sizes(data.get('inputs') if isinstance(data, Mapping) else None)
    places: dict[Any, list[int]] = {}
    for place, size in enumerate(sizes):
        places.setdefault(size, []).append(place)
    if len(places) < 2:
        return step(data)
    results: list[Any] = [None] * len(sizes)
    for chosen in places.values():
        found = step({key: _chosen(values, chosen) for key, values in data.items()})
        for place, result in zip(chosen, found, strict=True):
            results[place] = result
    return results


def _sizes(inputs: Any) -> list[Any]:
    """The size of each image, or those of its scales and flips; none for another form."""
    if not isinstance(inputs, list | tuple):
        return []
    if all(isinstance(image, Tensor) for image in inputs):
        return [image.shape for image in inputs]
    if all(isinstance(images, list | tuple) for images in inputs):
        return [tuple(image.shape for image in images) for images in zip(*inputs, strict=True)]
    return []


def _chosen(values: Any, places: list[int]) -> list[Any]:
    if isinstance(values[0], list | tuple):
        return [[one[place] for place in places] for one in values]
    return [values[place] for place in places]
