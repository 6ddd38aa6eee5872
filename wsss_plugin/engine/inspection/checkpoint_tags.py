"""The doubtful tags of a training set, by a network that was trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from wsss_plugin.engine.inspection.doubtful_tags import (
    DoubtfulTag,
    doubtful_tags,
    out_of_fold_scores,
    write_doubtful_tags,
)
from wsss_plugin.engine.inspection.tag_features import tag_features
from wsss_plugin.engine.label_export import ListedImages
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.errors import DataError

TAGS_FILE = 'doubtful_tags.csv'


def find_doubtful_tags(
    config: Config,
    checkpoint: str,
    out: str | Path | None = None,
    split: str = 'train',
    number: int = 50,
    folds: int = 5,
    seed: int = 0,
) -> list[DoubtfulTag]:
    """Lists tags that may be missing or wrong.

    The network gives features, whatever the tags; regressions on other images give the scores.
    So no image's own tags score themselves, but for what the features have learnt by heart.

    Args:
        config: The config of the training.
        checkpoint: Its checkpoint.
        out: Folder for ``doubtful_tags.csv``; None writes nothing.
        split: Whose tags are looked at.
        number: How many at most.
        folds: Number of folds.
        seed: Seed of the folds.

    Returns:
        The tags, the surest first.

    Raises:
        DataError: If an image has no tags.
    """
    images = ListedImages(config, split)
    tags = image_tags(images)
    model, _ = load_trained_model(config, checkpoint)
    scores = out_of_fold_scores(tag_features(model, images), tags, folds, seed)
    found = doubtful_tags(scores, tags, images.names, images.classes[1:], number)
    if out is not None:
        write_doubtful_tags(Path(out, TAGS_FILE), found)
    return found


def image_tags(images: ListedImages) -> np.ndarray:
    """Tags of listed images.

    Args:
        images: The images.

    Returns:
        Tags (N, K), 0 or 1.

    Raises:
        DataError: If an image has none that are known; names it.
    """
    rows: list[Any] = [images.tags(name) for name in images.names]
    unknown = [name for name, row in zip(images.names, rows, strict=True) if row is None]
    if unknown:
        raise DataError(
            f'{unknown[0]}: expected the tags of every image, received none for {len(unknown)}; '
            'add them or take the images from the list'
        )
    return np.stack(rows)
