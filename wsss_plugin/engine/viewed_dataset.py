"""The data set whose images are drawn."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.mask_folder import mask_folder
from wsss_plugin.errors import ConfigError

_OF_TRAINING = ('load_masks', 'label_dir')
_MASK_STEP = 'Annotations'


def viewed_dataset(config: Config, split: str) -> dict[str, Any]:
    """A data set read as in a test, with true masks where its folder has them.

    Args:
        config: The config.
        split: 'train', 'val' or 'test'; another one in this order from the end is taken where the
            config lacks it.

    Returns:
        The config of the data set.

    Raises:
        ConfigError: If the config has no test pipeline, or no data set of its own beside it.
    """
    given = {
        name: (config.get(f'{name}_dataloader') or {}).get('dataset') or {}
        for name in (split, 'test', 'val', 'train')
    }
    pipeline = (given['test'] or given['val']).get('pipeline')
    chosen = next((one for one in given.values() if 'pipeline' in one), None)
    if pipeline is None or chosen is None:
        raise ConfigError(
            'test_dataloader.dataset: expected a data set with a pipeline, by which images are '
            f'drawn, received {type_name(given["test"]) or "none"}; add it, or leave pictures out'
        )
    folder = mask_folder(chosen)
    steps = [dict(step) for step in pipeline]
    if folder is not None and not folder.is_dir():
        steps = [step for step in steps if _MASK_STEP not in type_name(step)]
    kept = {key: value for key, value in chosen.items() if key not in _OF_TRAINING}
    return {**kept, 'pipeline': steps, 'test_mode': True}
