"""Stores the mean displacement of an IRN head after the training."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_fit import unwrapped


@HOOKS.register_module()
class MeanDisplacementHook(Hook):
    """Takes the mean of an ``IRNHead``'s displacements over training images (IRN).

    Only differences of displacements are taught, so that their mean is left to chance; the head
    takes it away in evaluation. Runs before the last checkpoint is written.

    Args:
        head (str): Name of the head in the segmentor's ``heads``.
        batches (int): Number of batches of the training's data that are seen.

    Raises:
        ValueError: If ``batches`` is not positive.
    """

    # Before the checkpoint of the last iteration, which a hook of very low priority writes.
    priority = 'LOW'

    def __init__(self, head: str = 'irn', batches: int = 50) -> None:
        if batches < 1:
            raise ValueError(f'expected batches of MeanDisplacementHook from 1, received {batches}')
        self.head = head
        self.batches = batches

    def before_train(self, runner: Runner) -> None:
        """Checks that the segmentor has the head.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ValueError: If there is no such head.
        """
        self._head(runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        """Stores the mean at the last iteration.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        if runner.iter + 1 == runner.max_iters:
            self._store(runner)

    @torch.no_grad()
    def _store(self, runner: Runner) -> None:
        head, model = self._head(runner), unwrapped(runner.model)
        fields = []
        for data in itertools.islice(iter(runner.train_dataloader), self.batches):
            prepared = model.data_preprocessor(data, training=True)
            batch = model.batch(prepared['inputs'], prepared['data_samples'])
            fields.append(head(list(batch.main.features(head.reads).values()))[1])
        head.store_mean(fields)
        all_reduce(head.mean_displacement, op='mean')

    def _head(self, runner: Runner) -> Any:
        model = unwrapped(runner.model)
        heads = getattr(model, 'heads', {})
        if self.head not in heads or not hasattr(heads[self.head], 'store_mean'):
            raise ValueError(
                'expected MeanDisplacementHook.head to name an IRNHead of model.heads, received '
                f'{self.head!r}; the model has {list(heads)}'
            )
        return heads[self.head]
