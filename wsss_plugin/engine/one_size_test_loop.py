"""A test whose batches may hold images of several sizes."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import TestLoop
from mmengine.runner.amp import autocast
from mmseg.registry import LOOPS

from wsss_plugin.evaluation.size_batches import step_by_size


@LOOPS.register_module()
class OneSizeTestLoop(TestLoop):
    """MMEngine's ``TestLoop``, which shows the network those images of a batch together that agree
    in size.

    Arguments are those of ``TestLoop``. Hooks and evaluator get the batch as it was loaded.
    """

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Tests a batch.

        Args:
            idx: Its number.
            data_batch: What the dataloader yields.
        """
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=self.fp16):
            outputs = step_by_size(self.runner.model.test_step, data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            'after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
