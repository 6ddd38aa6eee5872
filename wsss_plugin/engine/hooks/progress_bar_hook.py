"""A progress bar below the log of a training."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any, TextIO

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.terminal import terminal_handlers

_WIDTH = 30
_SECONDS = 0.2  # between two pictures of the bar
_CLEAR = '\r\033[K'


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows iterations, time left and loss in the last line of a terminal; none without one."""

    # After the hooks that log.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._stream: TextIO | None = None
        self._drawn = 0.0
        self._is_drawn = False

    def before_train(self, runner: Runner) -> None:
        """Looks for a terminal.

        Args:
            runner (Runner): The running loop's owner.
        """
        self._stream = None
        for handler in terminal_handlers(runner.logger):
            if is_main_process() and handler.stream.isatty():
                self._stream = handler.stream
                handler.addFilter(self._give_way)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        """Draws the bar.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        now = time.monotonic()
        if self._stream is None or now - self._drawn < _SECONDS:
            return
        self._drawn, self._is_drawn = now, True
        self._stream.write(_CLEAR + _bar(runner))
        self._stream.flush()

    def before_val_epoch(self, runner: Runner) -> None:  # noqa: ARG002
        """Removes the bar.

        Args:
            runner (Runner): Unused.
        """
        self._clear()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        """Removes the bar; a checkpoint may be the last thing before an interrupted training ends.

        Args:
            runner (Runner): Unused.
            checkpoint (dict): Unused.
        """
        self._clear()

    def after_train(self, runner: Runner) -> None:  # noqa: ARG002
        """Removes the bar.

        Args:
            runner (Runner): Unused.
        """
        self._clear()

    def _give_way(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        """A filter that lets all through, in a line of its own."""
        self._clear()
        return True

    def _clear(self) -> None:
        if self._stream is not None and self._is_drawn:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._is_drawn = False


def _bar(runner: Runner) -> str:
    done, total = runner.iter + 1, runner.max_iters
    full = _WIDTH * done // total
    hub = runner.message_hub
    left = timedelta(seconds=round(hub.runtime_info.get('eta', 0)))
    text = f'[{"#" * full}{"." * (_WIDTH - full)}] {done}/{total}, {left} left'
    loss = hub.log_scalars.get('train/loss')
    return text if loss is None else f'{text}, loss {loss.current():.3f}'
