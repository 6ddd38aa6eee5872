"""How many images a test loads and predicts at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.trained_model import class_meta
from wsss_plugin.evaluation.size_batches import usual_batch_size


def batch_test(config: Config, size: int | None = None) -> None:
    """Tests batches of images, of which those of one size go through the network together.

    Args:
        config: Config of a test, changed in place.
        size: Number of images; None for as many as are worth their memory, and for the config's
            where that is more.
    """
    loader = config.test_dataloader
    given = loader.get('batch_size') or 1
    loader.batch_size = max(given, _usual(config)) if size is None else size
    loop = config.get('test_cfg') or {}
    if type_name(loop) in ('', 'TestLoop'):
        config.test_cfg = {**loop, 'type': 'OneSizeTestLoop'}


def augmentations(pipeline: Sequence[Any] | None) -> int:
    """Number of scales and flips that a pipeline makes of an image.

    Args:
        pipeline: Steps as configs.

    Returns:
        The number, 1 without ``TestTimeAug``.

    >>> steps = [dict(type='Resize', scale=2), dict(type='Resize', scale=3)]
    >>> augmentations([dict(type='TestTimeAug', transforms=[steps, [dict(type='Pack')]])])
    2
    """
    kinds = [step for step in pipeline or () if type_name(step) == 'TestTimeAug']
    return math.prod(len(choices) for step in kinds for choices in step['transforms'])


def _usual(config: Config) -> int:
    classes: Sequence[str] = ()
    with suppress(KeyError, AttributeError):
        classes = class_meta(config, {}, 'the config')['classes']
    if not classes:
        return 1
    return usual_batch_size(len(classes), augmentations(config.test_dataloader.dataset.pipeline))
