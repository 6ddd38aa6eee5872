"""Refuses checkpoints that do not fit the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_fit import check_weights_fit


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
        check_weights_fit(runner.model, checkpoint, self.resizable)
