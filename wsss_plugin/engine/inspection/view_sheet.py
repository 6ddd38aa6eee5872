"""A contact sheet of what a pipeline makes of training images."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from wsss_plugin.datasets import SeededIndex, TagDataset, spread_indices
from wsss_plugin.datasets.seeded_index import random_state
from wsss_plugin.engine.inspection.tagged_split import read_split
from wsss_plugin.visualization import contact_sheet, view_panel

# The crop's geometry holds for these two.
_BOXED = ('view1', 'local', 'image')


def view_sheet(
    dataset: TagDataset, number: int = 8, without: Collection[str] = ()
) -> np.ndarray | None:
    """Draws the augmented views of some images, each with its box, name and tags.

    Args:
        dataset: The data set with its pipeline.
        number: Number of images at most, spread over the data set.
        without: Paths of images that cannot be read.

    Returns:
        RGB picture, uint8, a row for each image; None where no image can be read.
    """
    split = read_split('train', dataset)
    readable = [index for index, path in enumerate(split.paths) if path not in without]
    if not readable:
        return None
    rows = []
    for place in spread_indices(len(readable), number):
        index = readable[place]
        with random_state(index):
            item = dataset[SeededIndex(index, index)]
        tags = split.tags[index]
        said = 'no tags' if tags is None else ', '.join(split.names_of(tags)) or 'background only'
        rows.append(_row(item, f'{split.images[index]}: {said}'))
    return contact_sheet(rows)


def _row(item: Mapping[str, Any], title: str) -> np.ndarray:
    inputs = item['inputs']
    views = inputs if isinstance(inputs, Mapping) else {'image': inputs}
    box = item['data_samples'].metainfo.get('box')
    boxes = {name: box for name in _BOXED if box is not None}
    return view_panel({name: _picture(view) for name, view in views.items()}, title, boxes)


def _picture(view: Tensor) -> np.ndarray:
    """A view as RGB; of other numbers of channels than three the first one as grey."""
    array = view.numpy().transpose(1, 2, 0)
    if array.shape[2] != 3:
        array = array[..., :1].repeat(3, axis=2)
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = ((array - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
    # Pipelines load in the order of OpenCV.
    return np.ascontiguousarray(array[..., ::-1])
