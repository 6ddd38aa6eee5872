"""Keeps the checkpoints of one run in one work folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.run_identity import new_name, read_run, set_aside, write_run
from wsss_plugin.whole_file import remove_parts


@HOOKS.register_module()
class RunIdentityHook(Hook):
    """Names the run in its work folder and its checkpoints, and moves another run's aside.

    When a training begins anew in a folder that has checkpoints, they are moved to
    ``previous-<n>`` in it; when it is resumed, those of later iterations are. A checkpoint from
    which it starts stays where it is.
    """

    # Before checkpoints are read or written by others.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._run: str | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Takes over the name of the run that is resumed.

        Args:
            runner (Runner): Says whether it is resumed.
            checkpoint (dict): As loaded.
        """
        if runner._resume:
            name = (checkpoint.get('meta') or {}).get('run')
            self._run = name if isinstance(name, str) else None

    def before_train(self, runner: Runner) -> None:
        """Clears the work folder of another run and notes the name of this one.

        Args:
            runner (Runner): Has restored its checkpoint.
        """
        names = [self._run or self._noted(runner) or new_name()]
        broadcast_object_list(names)
        (self._run,) = names
        if not is_main_process():
            return
        folder, start = Path(runner.work_dir), _start(runner)
        remove_parts(folder, below=True)
        moved = set_aside(folder, start, runner.iter if runner._resume else None)
        if moved is not None:
            print_log(
                f'{folder} has checkpoints of another training; they are kept in {moved}',
                logger='current',
                level=logging.WARNING,
            )
        inside = [path.name for path in start if path.resolve().parent == folder.resolve()]
        write_run(folder, self._run, inside[0] if runner._resume and inside else None)
        print_log(f'run {self._run} begins at iteration {runner.iter}', logger='current')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Adds the name.

        Args:
            runner (Runner): Unused.
            checkpoint (dict): About to be saved; changed in place.
        """
        del runner
        if self._run is not None:
            checkpoint['meta']['run'] = self._run

    @staticmethod
    def _noted(runner: Runner) -> str | None:
        """The name in the folder, where a checkpoint without a name is resumed there."""
        return read_run(runner.work_dir).get('run') if runner._resume else None


def _start(runner: Runner) -> list[Path]:
    """Files from which the training starts."""
    part = runner.cfg.get('load_part') or {}
    given = [runner._load_from, part.get('checkpoint')]
    return [Path(path) for path in given if isinstance(path, str) and '://' not in path]
