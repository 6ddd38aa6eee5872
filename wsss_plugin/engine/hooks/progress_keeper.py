"""Keeps what was trained when training stops at an error or is interrupted."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner

from wsss_plugin.engine.run_identity import LAST_FILE
from wsss_plugin.whole_file import write_text


class ProgressKeeper(Hook):
    """Saves a checkpoint when training stops at an error or at Ctrl-C between two iterations.

    That is where data that cannot be read stops it, in training and in validation, and where
    weights, optimisers and schedules belong together. After an error inside an iteration, which
    may have spoilt the weights, nothing is saved. Ctrl-C inside an iteration takes effect at its
    end; a second one stops at once, without saving. Of several processes the one that stops saves:
    all have the same weights, and the others wait for it in vain.

    ``with ProgressKeeper.attached(runner): runner.train()`` is all it takes.
    """

    # The last one, so that an error of another hook counts as one inside the iteration.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._first: int | None = None
        self._done = 0
        self._inside = False
        self._interrupted = False
        self._saved: int | None = None

    @classmethod
    @contextmanager
    def attached(cls, runner: Runner) -> Iterator[None]:
        """Watches over a training.

        Args:
            runner (Runner): Will be trained inside the context.

        Yields:
            None: Until the training has ended; its error goes on after the checkpoint is saved.
        """
        keeper = cls()
        runner.register_hook(keeper)
        try:
            with keeper._orderly_interruption():
                yield
        except KeyboardInterrupt:
            raise KeyboardInterrupt(keeper._kept(runner, keeper._save(runner))) from None
        except Exception:
            path = keeper._save(runner)
            if path is not None:
                print_log(
                    f'training stopped after iteration {keeper._done} and is kept in {path}; '
                    'remove the cause, which follows, and continue with --resume',
                    logger='current',
                    level=logging.WARNING,
                )
            raise

    @contextmanager
    def _orderly_interruption(self) -> Iterator[None]:
        handler = signal.getsignal(signal.SIGINT)
        in_main = threading.current_thread() is threading.main_thread()
        # Whoever ignores or handles Ctrl-C, a job in the background for example, goes on to do so.
        if not in_main or handler is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)

    def _interrupt(self, *_: Any) -> None:
        if self._interrupted or not self._inside:
            raise KeyboardInterrupt
        self._interrupted = True

    def before_train(self, runner: Runner) -> None:
        """Remembers where the training begins.

        Args:
            runner (Runner): The running loop's owner.
        """
        self._first = self._done = runner.iter

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Marks the beginning of an iteration.

        Args:
            runner (Runner): Unused.
            batch_idx (int): Unused.
            data_batch (Any): Unused.
        """
        del runner, batch_idx, data_batch
        self._inside = True

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Marks the end of an iteration.

        Args:
            runner (Runner): Still counts the iterations before this one.
            batch_idx (int): Unused.
            data_batch (Any): Unused.
            outputs (Any): Unused.

        Raises:
            KeyboardInterrupt: If Ctrl-C was pressed in the iteration.
        """
        del batch_idx, data_batch, outputs
        self._done = runner.iter + 1
        self._inside = False
        if self._interrupted:
            raise KeyboardInterrupt

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remembers what was saved; files of other runs may have the same names.

        Args:
            runner (Runner): Unused.
            checkpoint (dict): About to be saved.
        """
        del runner
        if 'optimizer' in checkpoint:
            self._saved = checkpoint['meta']['iter']

    def _save(self, runner: Runner) -> Path | None:
        """Saves the last complete iteration; returns its file, None where there is nothing new."""
        # First, since the runner would build a loop that is not there yet, and perhaps failed to.
        if self._first is None or self._inside or self._done == self._first:
            return None
        # A loop over epochs cannot continue inside one.
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            return None
        path = Path(runner.work_dir, f'iter_{self._done}.pth')
        if self._saved != self._done or not path.is_file():
            meta = dict(epoch=runner.epoch, iter=self._done)
            # The toolbox lets the first process alone save.
            save = getattr(Runner.save_checkpoint, '__wrapped__', Runner.save_checkpoint)
            save(runner, str(path.parent), path.name, meta=meta, by_epoch=False)
            write_text(path.with_name(LAST_FILE), str(path))
        return path

    def _kept(self, runner: Runner, path: Path | None) -> str:
        if path is not None:
            return f'iteration {self._done} is kept in {path}; continue with --resume'
        if Path(runner.work_dir, LAST_FILE).is_file():
            return f'the checkpoints in {runner.work_dir} are kept; continue with --resume'
        return 'nothing was saved'
