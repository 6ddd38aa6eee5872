"""Saves checkpoints so that a complete one exists at every moment."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.hooks.late_removal import LateRemoval
from wsss_plugin.engine.run_identity import LAST_FILE
from wsss_plugin.whole_file import write_text


@HOOKS.register_module()
class WholeCheckpointHook(CheckpointHook):
    """The toolbox's hook, which removes an old checkpoint once the new one is on the disk.

    The toolbox's own removes it first, so that with ``max_keep_ckpts=1`` a full disk or a power
    failure leaves none. Arguments are those of ``CheckpointHook``.
    """

    file_backend: Any
    keep_ckpt_ids: deque[int]

    def before_train(self, runner: Runner) -> None:
        """Prepares the folder.

        Args:
            runner (Runner): The running loop's owner.
        """
        super().before_train(runner)
        self.file_backend = LateRemoval(self.file_backend)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        outdated = self._outdated(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if not is_main_process():
            return
        write_text(Path(runner.work_dir, LAST_FILE), self.last_ckpt)
        for old in outdated:
            self.file_backend.remove_if_there(self.filename_tmpl.format(old), self.out_dir)

    def _outdated(self, runner: Runner, step: int) -> list[int]:
        """Takes a step into the list of those that are kept; returns those that leave it."""
        if self.max_keep_ckpts <= 0:
            return []
        steps = [kept for kept in self.keep_ckpt_ids if kept != step] + [step]
        # The outdated ones are in the checkpoint too: a training that is resumed from it removes
        # them, where this one was killed before.
        runner.message_hub.update_info('keep_ckpt_ids', steps)
        self.keep_ckpt_ids = deque(steps, self.max_keep_ckpts)
        return steps[: -self.max_keep_ckpts]

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        super()._save_best_checkpoint(runner, metrics)
        written = [getattr(self, 'best_ckpt_path', None)]
        written += getattr(self, 'best_ckpt_path_dict', {}).values()
        self.file_backend.remove_now(except_for=written)
