"""What a run was made of, in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmseg.registry import DATASETS

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.data_fingerprint import data_fingerprint

_KEYS = {
    'iterations': 'train_cfg.max_iters',
    'batch size per process': 'train_dataloader.batch_size',
    'segmentor': 'model.type',
    'backbone': 'model.backbone.type',
    'decode head': 'model.decode_head.type',
    'optimiser': 'optim_wrapper.optimizer.type',
    'mixed precision': 'optim_wrapper.dtype',
    'seed': 'randomness.seed',
    'started from': 'load_from',
}


def named_settings(config: Config) -> dict[str, str]:
    """The settings that are asked for first.

    Args:
        config: The config.

    Returns:
        Texts by name.
    """
    named = {name: _value(config, key) for name, key in _KEYS.items()}
    for part in ('cams', 'labels', 'terms'):
        given = config.model.get(part) or {}
        named[part] = ', '.join(
            f'{name}: {type_name(one)}' for name, one in given.items() if isinstance(one, Mapping)
        )
    return {name: text for name, text in named.items() if text}


def data_sets(config: Config) -> list[dict[str, Any]]:
    """The data sets with their fingerprints.

    Args:
        config: The config.

    Returns:
        For each split its type, folder, number of images and fingerprint, or why it cannot be read.
    """
    found = []
    for split in ('train', 'val', 'test'):
        given = (config.get(f'{split}_dataloader') or {}).get('dataset')
        if given is None:
            continue
        row = {'split': split, 'type': type_name(given), 'folder': given.get('data_root') or ''}
        try:
            row.update(data_fingerprint(DATASETS.build(given)))
        except (OSError, ValueError, KeyError) as error:
            row.update(images='not read', fingerprint=str(error))
        found.append(row)
    return found


def _value(config: Config, key: str) -> str:
    value: Any = config
    for name in key.split('.'):
        value = value.get(name) if isinstance(value, Mapping | Config) else None
    return '' if value is None else str(value)
