"""Starts a training from some modules of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, Runner
from mmseg.registry import HOOKS
from torch import nn

from wsss_plugin.engine.checkpoint_fit import (
    check_weights_fit,
    plain_weights,
    renamed_weights,
    unwrapped,
)


@HOOKS.register_module()
class LoadPartHook(Hook):
    """Loads the named modules of a checkpoint, each of them completely, into a new training.

    ``load_part=dict(checkpoint=..., modules=(...))`` in a config adds it. The checkpoint may come
    from another model or from other classes. Where a training is resumed nothing is loaded.

    Args:
        checkpoint (str): File or address of the checkpoint.
        modules (Sequence[str]): Paths of modules of the model, for example 'backbone.cnn'; the
            checkpoint has them under the same names.

    Raises:
        ValueError: If ``modules`` names none.
    """

    # Before hooks that copy the weights.
    priority = 'VERY_HIGH'

    def __init__(self, checkpoint: str, modules: Sequence[str]) -> None:
        if isinstance(modules, str) or not modules or not all(modules):
            raise ValueError(
                'expected the paths of modules as load_part.modules, for example '
                f"('backbone', 'decode_head'), received {modules!r}"
            )
        self.checkpoint, self.modules = checkpoint, tuple(modules)

    def before_train(self, runner: Runner) -> None:
        """Loads the modules.

        Args:
            runner (Runner): Owner of the model.

        Raises:
            ValueError: If the model has no such module, or the checkpoint lacks weights of it.
        """
        if runner._resume or runner.iter > 0:
            return
        model = unwrapped(runner.model)
        loaded = CheckpointLoader.load_checkpoint(self.checkpoint, map_location='cpu')
        weights = renamed_weights(model, plain_weights(loaded))
        parts = {path: _module(model, path) for path in self.modules}
        chosen = {
            path: {
                name.removeprefix(f'{path}.'): weight
                for name, weight in weights.items()
                if name.startswith(f'{path}.')
            }
            for path in parts
        }
        for path, module in parts.items():
            source = f'{self.checkpoint} (config key load_part, module {path})'
            check_weights_fit(module, chosen[path], source=source)
        for path, module in parts.items():
            module.load_state_dict(chosen[path], strict=False)
            print_log(f'{path} is loaded from {self.checkpoint}', logger='current')


def _module(model: nn.Module, path: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        children = ', '.join(name for name, _ in model.named_children())
        raise ValueError(
            f'expected the path of a module of {type(model).__name__} in load_part.modules, '
            f'received {path!r}; it has {children}'
        ) from error
