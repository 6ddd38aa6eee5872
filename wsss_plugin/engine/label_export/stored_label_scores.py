"""How good the label maps in a folder are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress
from mmseg.registry import DATASETS
from PIL import Image

from wsss_plugin.datasets import spread_indices
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.engine.label_export.listed_images import ListedImages
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.evaluation import LabelScores


def score_stored_labels(config: Config, folder: str, num: int | None = None) -> dict[str, float]:
    """Compares exported labels with the masks of ``test_dataloader``, at the size of the mask.

    Args:
        config: The config, whose ``test_dataloader`` lists the images.
        folder: Folder of labels that ``tools/export_labels.py`` has written.
        num: Number of images at most, spread over the list; None for all.

    Returns:
        What ``LabelScores.summary`` gives.

    Raises:
        MissingFileError: If the folder has no manifest.
        DataError: If it has other classes, or lacks an image or a size differs.
        ConfigError: If the pipeline loads no mask.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    labels = LabelManifest.read(folder)
    dataset = DATASETS.build(config.test_dataloader.dataset)
    names = ListedImages(config, 'test').names
    labels.require_classes(dataset.metainfo['classes'])
    chosen = spread_indices(len(names), num or len(names))
    labels.require_images([names[index] for index in chosen], 'test_dataloader')
    scores = LabelScores(len(labels.classes))
    for index in track_iter_progress(chosen):
        truth = _mask(dataset[index]['data_samples'])
        with Image.open(labels.path(names[index])) as image:
            label = torch.from_numpy(np.array(image)).long()
        if label.shape != truth.shape:
            raise DataError(
                f'{labels.path(names[index])}: expected a label at the size of the mask '
                f'{tuple(truth.shape)}, received {tuple(label.shape)}; export it again'
            )
        scores.add(label.masked_fill(label == labels.ignore, scores.ignore_index), truth)
    return scores.summary()


def _mask(sample: Any) -> torch.Tensor:
    if 'gt_sem_seg' not in sample:
        raise ConfigError(
            f'{sample.get("img_path")}: expected a mask to score its label, received none; put '
            'LoadAnnotations into test_dataloader.dataset.pipeline'
        )
    return sample.gt_sem_seg.data[0]
