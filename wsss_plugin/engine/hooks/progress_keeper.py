"""Keeps what was trained when training stops at an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner


class ProgressKeeper(Hook):
    """Saves a checkpoint when training stops at an error between two iterations.

    That is where data that cannot be read stops it, in training and in validation, and where
    weights, optimisers and schedules belong together. After an error inside an iteration, which
    may have spoilt the weights, nothing is saved. In a training of several processes only an error
    of the first one can be answered: the others cannot reach it any more.

    ``with ProgressKeeper.attached(runner): runner.train()`` is all it takes.
    """

    # The last one, so that an error of another hook counts as one inside the iteration.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._first: int | None = None
        self._inside = False

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
            yield
        except Exception:
            keeper._save(runner)
            raise

    def before_train(self, runner: Runner) -> None:
        """Remembers where the training begins.

        Args:
            runner (Runner): The running loop's owner.
        """
        self._first = runner.iter

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
            runner (Runner): Unused.
            batch_idx (int): Unused.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        del runner, batch_idx, data_batch, outputs
        self._inside = False

    def _save(self, runner: Runner) -> None:
        # A loop over epochs cannot continue inside one.
        resumable = isinstance(runner.train_loop, IterBasedTrainLoop)
        if self._first is None or self._inside or not resumable or runner.iter == self._first:
            return
        path = Path(runner.work_dir, f'iter_{runner.iter}.pth')
        if not path.is_file():
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            runner.save_checkpoint(str(path.parent), path.name, meta=meta, by_epoch=False)
            if is_main_process():
                Path(runner.work_dir, 'last_checkpoint').write_text(str(path), encoding='utf-8')
        print_log(
            f'training stopped after iteration {runner.iter} and is kept in {path}; remove the '
            'cause, which follows, and continue with --resume',
            logger='current',
            level=logging.WARNING,
        )
