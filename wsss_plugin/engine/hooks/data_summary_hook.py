"""Says at the start of a training what it is trained on."""

from __future__ import annotations

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class DataSummaryHook(Hook):
    """Logs images and tags of each split, and when each loss starts and stops, in a few lines."""

    def before_train(self, runner: Runner) -> None:
        """Logs the lines; no image is opened and no random stream moves.

        Args:
            runner (Runner): The running loop's owner.
        """
        if not is_main_process():
            return
        # The package of hooks is imported by what reads configs, which that package needs.
        from wsss_plugin.engine.inspection import training_summary

        for line in training_summary(runner):
            print_log(line, logger='current')
