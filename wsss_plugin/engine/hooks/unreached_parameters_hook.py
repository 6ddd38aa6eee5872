"""Says which parameters get no gradient."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor
from torch.optim import Optimizer

from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.engine.torch_optimizers import torch_optimizers
from wsss_plugin.engine.unreached_parameters import phases, unreached_parameters

_SHOWN = 12


@HOOKS.register_module()
class UnreachedParametersHook(Hook):
    """Names, once each, the parameters that should learn and got no gradient.

    It looks at the first step of the optimisers in every phase: ``phases()`` of the segmentor
    gives the iterations at which a term of the loss begins or labels change; without it there is
    one phase.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._names: dict[Tensor, str] = {}
        self._phases: list[int] = []
        self._waiting = False
        self._stepped = False
        self._reached: set[str] = set()
        self._named: set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Watches the optimisers.

        Args:
            runner (Runner): The running loop's owner.
        """
        model = unwrapped(runner.model)
        self._names = {parameter: name for name, parameter in model.named_parameters()}
        self._phases = phases(model)
        self._waiting = True
        for optimizer in torch_optimizers(runner.optim_wrapper):
            optimizer.register_step_pre_hook(self._before_step)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Notices the beginning of a phase.

        Args:
            runner (Runner): Counts the iterations.
            batch_idx (int): Unused.
            data_batch (Any): Unused.
        """
        del batch_idx, data_batch
        self._waiting = self._waiting or runner.iter in self._phases

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        if not self._waiting:
            return
        self._stepped = True
        for group in optimizer.param_groups:
            for parameter in group['params']:
                if parameter.grad is not None and parameter in self._names:
                    self._reached.add(self._names[parameter])

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Warns after the first step of a phase.

        Args:
            runner (Runner): Owner of the model.
            batch_idx (int): Unused.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        del batch_idx, data_batch, outputs
        # While gradients are accumulated, or mixed precision leaves steps out, there is none.
        if not (self._waiting and self._stepped):
            return
        self._waiting = self._stepped = False
        unreached = unreached_parameters(runner.model, self._reached, runner.iter)
        new = {name: term for name, term in unreached.items() if name not in self._named}
        self._named |= new.keys()
        if new:
            print_log(_message(new, runner.iter), logger='current', level=logging.WARNING)


def _message(unreached: Mapping[str, str], iteration: int) -> str:
    shown = [
        f'{name} (of {term})' if term else name for name, term in list(unreached.items())[:_SHOWN]
    ]
    others = f' and {len(unreached) - _SHOWN} others' if len(unreached) > _SHOWN else ''
    return (
        f'expected a gradient for every parameter that learns, received none for '
        f'{", ".join(shown)}{others} in iteration {iteration + 1}: no loss reaches them, they stay '
        'as they are; freeze or remove them, or add the term that should train them'
    )
