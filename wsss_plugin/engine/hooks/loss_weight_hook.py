"""Changes the weight of a loss during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.models.schedule import as_iteration, check_iteration


@HOOKS.register_module()
class LossWeightHook(Hook):
    """Sets ``loss_weight`` of a loss from given iterations on.

    Pseudo labels are poor at first and good later, so that a small weight of the segmentation loss
    is right early and a larger one late. The weight depends on the iteration alone, so that a
    resumed run continues with the same value.

    Args:
        loss (str): Path of a loss term or of a loss in the segmentor, for example 'terms.seg', or
            'decode_head.loss_decode.0' in one of MMSegmentation whose head has a list of losses.
        weights (Sequence): Pairs (iteration, weight) with increasing iterations from 0; an
            iteration may be a share of the training.

    Raises:
        ValueError: If the iterations are not in order, or a weight is negative.
    """

    def __init__(self, loss: str, weights: Sequence[tuple[float, float]]) -> None:
        pairs = tuple((start, float(weight)) for start, weight in weights)
        starts = [start for start, _ in pairs]
        for start in starts:
            check_iteration(start, 'the iterations of LossWeightHook')
        negative = any(weight < 0 for _, weight in pairs)
        if starts[:1] != [0] or starts != sorted(set(starts)) or negative:
            raise ValueError(
                'expected weights of LossWeightHook as pairs (iteration, weight) with increasing '
                f'iterations from 0 and weights of at least 0, received {weights}'
            )
        self.loss, self.weights = loss, pairs

    def before_train(self, runner: Runner) -> None:
        """Checks that the segmentor has the loss.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ValueError: If there is no such loss, or it has no weight.
        """
        self._module(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Sets and logs the weight of this iteration.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
        """
        del batch_idx, data_batch
        weight = self._begun(runner)[-1][1]
        self._module(runner).loss_weight = weight
        runner.message_hub.update_scalar(f'train/{self.loss}.loss_weight', weight)

    def _begun(self, runner: Runner) -> list[tuple[int, float]]:
        key = 'the iterations of LossWeightHook'
        pairs = [(as_iteration(start, runner.max_iters, key), one) for start, one in self.weights]
        return [(start, one) for start, one in pairs if start <= runner.iter]

    def _module(self, runner: Runner) -> Any:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        try:
            module: Any = model.get_submodule(self.loss)
        except AttributeError:
            module = None
        if not hasattr(module, 'loss_weight'):
            raise ValueError(
                'expected loss of LossWeightHook to be the path of a module of '
                f'{type(model).__name__} that has loss_weight, received {self.loss!r}; for example '
                "'terms.seg'"
            )
        return module
