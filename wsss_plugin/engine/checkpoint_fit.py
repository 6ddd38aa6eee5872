"""Whether a checkpoint and a model belong together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper


def check_weights_fit(
    model: Any, checkpoint: Mapping[str, Any], resizable: Collection[str] = ()
) -> None:
    """Compares the names and shapes of a checkpoint's weights with the model's.

    Args:
        model (Any): The model, wrapped for data-parallel training or augmentation or not.
        checkpoint (Mapping): As loaded, or its weights alone.
        resizable (Collection[str]): Last parts of the names of weights that the model adapts to
            its own size when they are loaded.

    Raises:
        ValueError: If a shape differs or no name is shared; names the weight.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    expected = model.state_dict()
    received = {
        re.sub(r'^module\.', '', name): weight
        for name, weight in checkpoint.get('state_dict', checkpoint).items()
    }
    shared = expected.keys() & received.keys()
    if not shared:
        raise ValueError(
            f'expected weights of {type(model).__name__} (for example '
            f'{next(iter(expected), "none")}) in the checkpoint, received none of them (for '
            f'example {next(iter(received), "none")}); check that the config and the '
            'checkpoint belong together'
        )
    for name in sorted(shared):
        if name.rsplit('.', 1)[-1] in resizable:
            continue
        if received[name].shape != expected[name].shape:
            raise ValueError(
                f'expected {name} of shape {tuple(expected[name].shape)} in the checkpoint, '
                f'received {tuple(received[name].shape)}; the number of classes or the widths '
                'differ: test with the config of its training, or set num_classes to match'
            )
