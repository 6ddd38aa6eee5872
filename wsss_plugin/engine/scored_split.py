"""Which images a test scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.errors import ConfigError

_OF_TRAINING = ('load_masks', 'label_dir')


def score_split(config: Config, split: str, num: int | None = None) -> None:
    """Tests on the images of another dataloader, read as those of the test.

    Args:
        config: Changed in place.
        split: 'train', 'val' or 'test', whose dataloader has the data set.
        num: Number of images at most, spread over the data set; None for all.

    Raises:
        ConfigError: If the config has no such data set.
    """
    given = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
    if 'pipeline' not in given:
        raise ConfigError(
            f'{split}_dataloader.dataset: expected a data set with a pipeline, received '
            f'{type_name(given) or "none"}; name the data set itself, without a wrapper around it'
        )
    kept = {key: value for key, value in given.items() if key not in _OF_TRAINING}
    dataset = {**kept, 'pipeline': config.test_dataloader.dataset.pipeline, 'test_mode': True}
    if num is not None:
        dataset['indices'] = _spread(config, dataset, num)
    config.test_dataloader.dataset = dataset
    for metric in wsss_metrics(config).values():
        metric.split = split if num is None else f'{split}, up to {num} images spread over it'


def _spread(config: Config, dataset: Mapping[str, Any], num: int) -> list[int]:
    init_default_scope(config.get('default_scope') or 'mmseg')
    indices = spread_indices(len(DATASETS.build(dataset)), num)
    own = dataset.get('indices')
    return [own[index] for index in indices] if isinstance(own, Sequence) else indices
