"""Which images a run is judged on."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.inspection import (
    TaggedSplit,
    image_tags,
    read_split,
    tag_datasets,
)
from wsss_plugin.engine.judging.hold_out import hold_out
from wsss_plugin.engine.label_export import ListedImages
from wsss_plugin.errors import ConfigError

_OF_TRAINING = ('label_dir', 'load_masks')


@dataclass(frozen=True)
class JudgedImages:
    """Images that a run is judged on.

    Attributes:
        images: The images of the split, or those that a list names.
        names: Those that are judged.
        split: The split.
        trained_on: How many of them the training has.
    """

    images: ListedImages
    names: tuple[str, ...]
    split: str
    trained_on: int


def judged_images(
    config: Config,
    split: str | None = None,
    list_file: str | None = None,
    share: float = 0.1,
    number: int | None = None,
    seed: int = 0,
) -> JudgedImages:
    """Chooses images: those of a list; else the validation images; else a share of the training's.

    Args:
        config: The config.
        split: 'train', 'val' or 'test', whose images are judged; None for 'train' with a list, else
            for 'val' where there is one that has tags and shares no image with the training.
        list_file: Names of the images, one per line.
        share: Share of the training images where there are no others, by classes.
        number: Number of images at most, spread over them.
        seed: Seed of the share.

    Returns:
        The images.

    Raises:
        ConfigError: If there is no data set of tags to choose from.
        DataError: If the list names others.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    trained = _files(config, 'train')
    drawn = False
    if split is None:
        split = 'train'
        if list_file is None and _is_apart(_files(config, 'val'), trained):
            split = 'val'
        drawn = list_file is None and split == 'train'
    images = ListedImages(config, split, list_file)
    names = images.names
    if drawn:
        names = tuple(names[index] for index in hold_out(image_tags(images), share, seed))
    if not names:
        raise ConfigError(
            f'expected images to judge, received none for a share of {share} of {len(images)}; '
            'give a larger share or a list'
        )
    if number is not None:
        names = tuple(names[index] for index in spread_indices(len(names), number))
    known = sum(os.path.realpath(images.path(name)) in trained for name in names)
    return JudgedImages(images, names, split, known)


def _files(config: Config, split: str) -> set[str]:
    return {
        os.path.realpath(path)
        for one in _splits(config, split)
        for path, tags in zip(one.paths, one.tags, strict=True)
        if split == 'train' or tags is not None
    }


def _splits(config: Config, split: str) -> list[TaggedSplit]:
    part = (config.get(f'{split}_dataloader') or {}).get('dataset')
    if not part:
        return []
    if 'pipeline' in part:
        # Images and tags alone, whatever labels or masks the training has beside them.
        part = {key: value for key, value in part.items() if key not in _OF_TRAINING}
        part['pipeline'] = []
    dataset = DATASETS.build(part)
    return [read_split(split, one) for one in tag_datasets(dataset)]


def _is_apart(files: set[str], trained: set[str]) -> bool:
    return bool(files) and not files & trained
