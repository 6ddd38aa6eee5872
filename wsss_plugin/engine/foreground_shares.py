"""How much foreground a segmentor predicts beside how much its labels have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_reduce, get_rank, get_world_size
from torch import Tensor

from wsss_plugin.datasets import SeededIndex, spread_indices
from wsss_plugin.datasets.seeded_index import random_state
from wsss_plugin.errors import ConfigError, cut


@dataclass(frozen=True)
class ForegroundShares:
    """Shares of the pixels of some training images, in [0, 1].

    Attributes:
        images: Number of images.
        labelled: Labelled as foreground.
        predicted: Predicted as foreground.
        ignored: Without a label.
    """

    images: int
    labelled: float
    predicted: float
    ignored: float


@torch.no_grad()
def foreground_shares(model: Any, dataset: Any, num: int) -> ForegroundShares:
    """Compares prediction and label on training images as the pipeline gives them.

    No random stream moves, and the model is left in the mode in which it was. Several processes
    share the images.

    Args:
        model: A segmentor of MMSegmentation or of this package, in no wrapper.
        dataset: The data set of the training, whose samples have ``gt_sem_seg``.
        num: Number of images at most, spread evenly over the data set.

    Returns:
        The shares over all pixels inside the images.

    Raises:
        ConfigError: If a sample has no label, or several views.
    """
    indices = spread_indices(len(dataset), num)
    ignored = getattr(dataset, 'ignore_index', 255)
    training = model.training
    model.eval()
    try:
        counts = torch.zeros(4, dtype=torch.float64)
        for index in indices[get_rank() :: get_world_size()]:
            counts += _count(model, labelled_item(dataset, index), ignored)
    finally:
        model.train(training)
    all_reduce(counts)
    pixels, *parts = counts.tolist()
    return ForegroundShares(len(indices), *(part / pixels for part in parts))


def labelled_item(dataset: Any, index: int) -> dict[str, Any]:
    """Reads an image with its label, by random choices that depend on the index alone.

    Args:
        dataset: The data set.
        index: The index.

    Returns:
        ``inputs`` (3, h, w) and ``data_samples`` with ``gt_sem_seg``.

    Raises:
        ConfigError: If the image has no label, or is there in several views.
    """
    with random_state(index):
        item: dict[str, Any] = dataset[SeededIndex(index, index)]
    sample = item['data_samples']
    if 'gt_sem_seg' not in sample or not isinstance(item['inputs'], Tensor):
        raise ConfigError(
            'train_dataloader.dataset: expected one image with a label to compare a prediction '
            f'with, received views or no label for {cut(sample.get("img_path"))}; leave out '
            'UnderPredictionHook where no labels are loaded'
        )
    return item


def _count(model: Any, item: dict[str, Any], ignore_index: int) -> Tensor:
    """Pixels: all, labelled as foreground, predicted as foreground, ignored."""
    height, width = item['inputs'].shape[-2:]
    # As in training, where images that are smaller than the crop are padded.
    data = model.data_preprocessor(pseudo_collate([item]), True)
    (sample,) = data['data_samples']
    logits = model.encode_decode(data['inputs'], [sample.metainfo])[0]
    label = sample.gt_sem_seg.data[0, :height, :width]
    predicted = _label(logits)[:height, :width] > 0
    ignored = label == ignore_index
    return torch.stack(
        [
            torch.tensor(label.numel()),
            ((label > 0) & ~ignored).sum().cpu(),
            predicted.sum().cpu(),
            ignored.sum().cpu(),
        ]
    ).double()


def _label(logits: Tensor) -> Tensor:
    # One channel is the score of the only foreground class, for the toolbox's binary heads.
    return logits.argmax(dim=0) if len(logits) > 1 else (logits[0] > 0).long()
