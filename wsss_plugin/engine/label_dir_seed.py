"""Folders of pseudo labels that follow the seed of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from wsss_plugin.errors import ConfigError, received

_PLACE = '{seed}'
_KEY = 'train_dataloader.dataset.label_dir'


def fill_seed(config: Config) -> None:
    """Writes the seed of a training in place of ``{seed}`` in the names of its label folders.

    A second stage with several seeds can so take the labels of a first stage of the same seed,
    and all of them are one config.

    Args:
        config: Changed in place: ``train_dataloader.dataset.label_dir``, one folder or several.

    Raises:
        ConfigError: If a name has ``{seed}`` and ``randomness.seed`` is not given.

    Examples:
        >>> dataset = dict(label_dir='labels/seed_{seed}')
        >>> config = Config(dict(train_dataloader=dict(dataset=dataset), randomness=dict(seed=2)))
        >>> fill_seed(config)
        >>> config.train_dataloader.dataset.label_dir
        'labels/seed_2'
    """
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    folders = dataset.get('label_dir')
    if folders is None or _PLACE not in str(folders):
        return
    seed = (config.get('randomness') or {}).get('seed')
    if seed is None:
        raise ConfigError(
            f'{_KEY}: expected randomness.seed to put in place of {_PLACE}, received '
            f'{received(folders)} and no seed; set randomness.seed, or name the folder'
        )
    dataset['label_dir'] = _filled(folders, str(seed))


def _filled(folders: Any, seed: str) -> Any:
    if isinstance(folders, str):
        return folders.replace(_PLACE, seed)
    if isinstance(folders, (list, tuple)):
        return [_filled(folder, seed) for folder in folders]
    if isinstance(folders, Mapping):
        return {key: _filled(value, seed) for key, value in folders.items()}
    return folders
