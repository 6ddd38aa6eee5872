"""Says the batch size that one optimiser step sees."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch.utils.data import DataLoader


@HOOKS.register_module()
class EffectiveBatchSizeHook(Hook):
    """Compares images per optimiser step with the paper's batch size.

    Images per step = batch size of a process x processes x accumulated iterations.

    Args:
        paper_batch_size (int, optional): Images per step of the published training; None only
            reports.

    Raises:
        ValueError: If ``paper_batch_size`` is below 1.
    """

    def __init__(self, paper_batch_size: int | None = None) -> None:
        if paper_batch_size is not None and paper_batch_size < 1:
            raise ValueError(
                'expected paper_batch_size of EffectiveBatchSizeHook to be at least 1, received '
                f'{paper_batch_size}'
            )
        self.paper_batch_size = paper_batch_size

    def before_train(self, runner: Runner) -> None:
        """Logs the product, as a warning where it differs from the paper's.

        Args:
            runner (Runner): The running loop's owner.
        """
        per_process = _batch_size(runner.train_dataloader)
        if per_process is None:
            print_log(
                'batch size of one optimiser step: unknown, since neither train_dataloader nor its '
                'batch_sampler has a batch_size',
                logger='current',
            )
            return
        accumulated = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        total = per_process * runner.world_size * accumulated
        message = (
            f'batch size of one optimiser step: {total} = {per_process} per process x '
            f'{runner.world_size} processes x {accumulated} accumulated iterations'
        )
        if self.paper_batch_size in (None, total):
            print_log(message, logger='current')
            return
        print_log(
            f'{message}; the paper used {self.paper_batch_size}, so its learning rates and '
            'iterations do not fit: change train_dataloader.batch_size, the processes or '
            'optim_wrapper.accumulative_counts',
            logger='current',
            level=logging.WARNING,
        )


def _batch_size(loader: DataLoader) -> int | None:
    """Images per batch; a loader with a sampler of batches leaves the number to that one."""
    if loader.batch_size is not None:
        return loader.batch_size
    return getattr(loader.batch_sampler, 'batch_size', None)
