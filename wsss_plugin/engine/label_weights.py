"""Whether weights of labels reach the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmseg.registry import MODELS

from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.errors import ConfigError


def check_label_weights(config: Config) -> None:
    """Checks that the segmentor reads the weights that the training set gives its labels.

    Args:
        config (Config): The config.

    Raises:
        ConfigError: ``label_dir`` has a weight other than 1, and no label maker of the segmentor
            is a ``StoredLabels``, so that the training would go on as if it were 1.
    """
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    weights = [
        entry.get('weight', 1)
        for entry in _entries(dataset.get('label_dir'))
        if isinstance(entry, Mapping)
    ]
    makers = config.model.get('labels') or {}
    if all(weight == 1 for weight in weights) or any(
        is_kind(maker, 'StoredLabels', MODELS) for maker in makers.values() if maker
    ):
        return
    raise ConfigError(
        'train_dataloader.dataset.label_dir: expected weights that the segmentor reads, received '
        f'{weights} for a {type_name(config.model)} without StoredLabels among its labels, which '
        'would train as if they were 1; leave out the weights, or use a WeakSegmentor with '
        "labels=dict(stored=dict(type='StoredLabels'))"
    )


def _entries(given: Any) -> Sequence[Any]:
    return given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
