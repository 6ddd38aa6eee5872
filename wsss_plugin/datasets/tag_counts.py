"""How many images have each class."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mmengine.dataset import BaseDataset

from wsss_plugin.errors import ConfigError


def tag_counts(dataset: Any) -> dict[str, int]:
    """Counts the images of each foreground class; no pipeline runs and nothing is drawn at random.

    Args:
        dataset (Any): A :class:`TagDataset`, or a wrapper of one.

    Returns:
        dict[str, int]: Numbers by class, in the order of ``gt_tags``.

    Raises:
        ConfigError: If the data set has no tags.
    """
    while not hasattr(dataset, 'tag_classes') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    if not hasattr(dataset, 'tag_classes'):
        raise ConfigError(
            'train_dataloader.dataset: expected a data set with tags, such as ImageTagDataset, '
            f'received {type(dataset).__name__}'
        )
    # The data set's own get_data_info draws a seed for the pipeline.
    infos = (BaseDataset.get_data_info(dataset, index) for index in range(len(dataset)))
    found = Counter(number for info in infos for number in info.get('tags', ()))
    return {name: found[number] for number, name in enumerate(dataset.tag_classes)}
