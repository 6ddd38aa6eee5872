"""Logs the first iterations of a training, then at an interval in time."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

from mmengine.hooks import LoggerHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.terminal import quiet_terminal
from wsss_plugin.errors import ConfigError, received


@HOOKS.register_module()
class TimedLoggerHook(LoggerHook):
    """The toolbox's hook, which shows the first iterations and then a line after some seconds.

    Files get a line at ``interval``, as ever, and whatever the terminal shows. The curves of
    ``scalars.json`` and other backends get those of ``interval`` only, so that they do not depend
    on the speed of a machine.

    Args:
        first (int): Iterations after a start that are shown one by one, at least 0.
        seconds (float): Time between two lines on the terminal afterwards, at least 0.
        **kwargs: Arguments of ``LoggerHook``.

    Raises:
        ConfigError: If a number is negative.
    """

    def __init__(self, first: int = 3, seconds: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in (('first', first), ('seconds', seconds)):
            if value < 0:
                raise ConfigError(
                    f'default_hooks.logger.{name}: expected a number of at least 0, received '
                    f'{received(value)}; correct it'
                )
        self.first, self.seconds = first, seconds
        self._left, self._shown = first, 0.0

    def before_train(self, runner: Runner) -> None:  # noqa: ARG002
        """Begins to count.

        Args:
            runner (Runner): Unused.
        """
        self._left, self._shown = self.first, time.monotonic()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Logs the iteration where it is one of the first, at the interval, or after some time.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Its number in the loop.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        due = self._is_due(runner)
        at_interval = self.every_n_inner_iters(batch_idx, self.interval)
        if due and not at_interval and not self.end_of_epoch(runner.train_dataloader, batch_idx):
            _, text = runner.log_processor.get_log_after_iter(runner, batch_idx, 'train')
            runner.logger.info(text)
            return
        with nullcontext() if due else quiet_terminal(runner.logger):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def _is_due(self, runner: Runner) -> bool:
        now = time.monotonic()
        is_last = runner.iter + 1 >= runner.max_iters
        if not self._left and not is_last and now - self._shown < self.seconds:
            return False
        self._left, self._shown = max(self._left - 1, 0), now
        return True
