"""Refuses checkpoints that do not fit the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class CheckpointShapeHook(Hook):
    """Stops when a weight of the checkpoint has another shape than the model's.

    The toolbox only warns and keeps random weights, for example in a head for another number of
    classes.

    Args:
        resizable (Sequence[str]): Last parts of the names of weights that the model adapts to
            its own size when they are loaded.
    """

    def __init__(self, resizable: Sequence[str] = ()) -> None:
        self.resizable = tuple(resizable)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compares the names and shapes.

        Args:
            runner (Runner): Owner of the model.
            checkpoint (dict): As loaded.

        Raises:
            ValueError: If a shape differs or no name is shared; names the weight.
        """
        model = runner.model
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
            if name.rsplit('.', 1)[-1] in self.resizable:
                continue
            if received[name].shape != expected[name].shape:
                raise ValueError(
                    f'expected {name} of shape {tuple(expected[name].shape)} in the checkpoint, '
                    f'received {tuple(received[name].shape)}; the number of classes or the widths '
                    'differ: test with the config of its training, or set num_classes to match'
                )
