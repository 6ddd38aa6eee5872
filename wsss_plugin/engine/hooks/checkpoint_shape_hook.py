"""Refuses checkpoints that do not fit the model or the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_classes import check_classes
from wsss_plugin.engine.checkpoint_fit import check_weights_fit
from wsss_plugin.engine.pretrained_fit import check_pretrained_fit


@HOOKS.register_module()
class CheckpointShapeHook(Hook):
    """Stops when a checkpoint lacks weights of the model, or was trained for other classes.

    The toolbox only warns and keeps random weights, for example in a head for another number of
    classes.

    Args:
        resizable (Sequence[str]): Last parts of the names of weights that the model adapts to
            its own size when they are loaded.
    """

    def __init__(self, resizable: Sequence[str] = ()) -> None:
        self.resizable = tuple(resizable)

    def before_run(self, runner: Runner) -> None:
        """Checks the files of pretrained weights, before a training reads them.

        Args:
            runner (Runner): Owner of the model.

        Raises:
            ValueError: If a file lacks weights of its module; names the key of the config.
        """
        # A test has not built the loop, and does not initialise the model.
        if isinstance(runner._train_loop, BaseLoop):
            check_pretrained_fit(runner.model)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compares weights and classes.

        Args:
            runner (Runner): Owner of the model and the data.
            checkpoint (dict): As loaded.

        Raises:
            ValueError: If a weight is missing, has another shape or is not finite, or the classes
                are others than those of the data; names the weight or the class.
        """
        source = getattr(runner, '_load_from', None) or 'the checkpoint'
        check_weights_fit(runner.model, checkpoint, self.resizable, source)
        for split in ('train', 'val', 'test'):
            loop = getattr(runner, f'_{split}_loop', None)
            if isinstance(loop, BaseLoop):
                dataset = loop.dataloader.dataset
                check_classes(checkpoint, getattr(dataset, 'metainfo', None), f'{split}_dataloader')
