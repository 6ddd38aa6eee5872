"""What a data set says of its images, before any of them is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsss_plugin.datasets import TagDataset


@dataclass(frozen=True)
class TaggedSplit:
    """Images and tags of a split.

    Attributes:
        name: Name of the split, such as 'train'.
        classes: Names of the K foreground classes.
        paths: Files of the N images.
        images: Their names relative to the folder of the images.
        tags: Classes of each image, as numbers from 0; None where they are unknown.
        masks: File of each mask that the data set offers, which need not exist, or None.
        mask_names: Names of the masks' values from 0.
        ignore_index: Value of a mask without class.
    """

    name: str
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    images: tuple[str, ...]
    tags: tuple[tuple[int, ...] | None, ...]
    masks: tuple[str | None, ...]
    mask_names: tuple[str, ...]
    ignore_index: int = 255

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def matrix(self) -> np.ndarray:
        """Tags as booleans (N, K), none where they are unknown."""
        matrix = np.zeros((len(self), len(self.classes)), dtype=bool)
        for row, tags in enumerate(self.tags):
            matrix[row, list(tags or ())] = True
        return matrix

    def names_of(self, tags: Sequence[int]) -> list[str]:
        """Names of classes.

        Args:
            tags: Their numbers from 0.

        Returns:
            The names.
        """
        return [self.classes[number] for number in tags]


def tag_datasets(dataset: Any) -> Iterator[TagDataset]:
    """The data sets of tags inside wrappers such as MMEngine's ``RepeatDataset``.

    Args:
        dataset: A data set or a wrapper.

    Yields:
        Those with tags.
    """
    if isinstance(dataset, TagDataset):
        yield dataset
        return
    inner = [*getattr(dataset, 'datasets', ()), getattr(dataset, 'dataset', None)]
    for part in inner:
        if part is not None:
            yield from tag_datasets(part)


def read_split(name: str, dataset: TagDataset) -> TaggedSplit:
    """Lists images and tags; opens no image and moves no random stream.

    Args:
        name: Name of the split.
        dataset: The data set.

    Returns:
        The split.
    """
    infos = [dataset.image_info(index) for index in range(len(dataset))]
    folder = dataset.data_prefix.get('img_path') or '.'
    classes = dataset.metainfo['classes']
    return TaggedSplit(
        name,
        dataset.tag_classes,
        tuple(info['img_path'] for info in infos),
        tuple(Path(os.path.relpath(info['img_path'], folder)).as_posix() for info in infos),
        tuple(tuple(info['tags']) if 'tags' in info else None for info in infos),
        tuple(info.get('seg_map_path') for info in infos),
        tuple(dataset.mask_names(classes)),
        dataset.ignore_index,
    )
