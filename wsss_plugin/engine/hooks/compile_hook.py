"""Compiles parts of a model before its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.errors import ConfigError


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles modules of the model by ``torch.compile``, each in its place.

    Names of weights stay as they are. ``compile`` of MMEngine takes the whole step, which is
    compiled anew in each iteration, since thresholds and schedules are numbers that change.

    Args:
        modules: Names of modules, in which ``*`` stands for anything, such as
            ``'backbone.trunk.blocks.*'``.
        options: Arguments of ``torch.compile``; one compilation serves all sizes unless they
            say otherwise.

    Raises:
        ConfigError: If no module is named.

    >>> hook = CompileHook(modules=['backbone.trunk.blocks.*'], options=dict(backend='eager'))
    >>> hook.options
    {'dynamic': True, 'backend': 'eager'}
    """

    def __init__(self, modules: Sequence[str], options: Mapping[str, Any] | None = None) -> None:
        if not modules or isinstance(modules, str):
            raise ConfigError(
                'expected a list of names of modules as modules of CompileHook, received '
                f"{modules!r}; name some, such as modules=['backbone.trunk.blocks.*']"
            )
        self.modules = tuple(modules)
        self.options = {'dynamic': True, **(options or {})}

    def before_train(self, runner: Runner) -> None:
        """Compiles; the work itself is done when a module is first called.

        Args:
            runner (Runner): Holds the model.

        Raises:
            ConfigError: If a name fits no module.
        """
        names = {name: part for name, part in unwrapped(runner.model).named_modules() if name}
        chosen: dict[str, Any] = {}
        for pattern in self.modules:
            # A star ends at a dot: parts of what is compiled are compiled with it.
            depth = pattern.count('.')
            found = [
                name for name in names if name.count('.') == depth and fnmatchcase(name, pattern)
            ]
            if not found:
                raise ConfigError(
                    f'expected the name of a module among modules of CompileHook, received '
                    f'{pattern!r}, which fits none; the model has {", ".join(_tops(names))}, and '
                    'what is in them'
                )
            chosen.update((name, names[name]) for name in found)
        for module in chosen.values():
            module.compile(**self.options)
        print_log(f'{len(chosen)} modules are compiled when first called', logger='current')


def _tops(names: Mapping[str, Any]) -> list[str]:
    return [name for name in names if '.' not in name]
