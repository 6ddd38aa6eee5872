"""Lowers the high background threshold during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.ops.thresholds import cosine_threshold


@HOOKS.register_module()
class CosineThresholdHook(Hook):
    """Sets the segmentor's high threshold from th(0) to th(T) by cosine annealing.

    th(t) = th(0) - (th(0) - th(T)) (1 - cos(pi t / T)) / 2, equation (8) of the dual-branch
    paper. It depends on the iteration alone, so that a resumed run continues with the same value.

    Args:
        start (float): th(0), in (0, 1).
        end (float): th(T), in (0, 1), at most ``start``.
        begin (int): Iteration at which the descent begins; th(0) before.
        total (int, optional): Iteration at which th(T) is reached, and kept. Default: the
            length of the training.
        targets (Sequence[str]): Where the thresholds are in the segmentor: 'thresholds', which all
            label makers share, or for example 'labels.pixel.thresholds', those of one maker.

    ``start`` and ``end`` may be sequences with a value for each foreground class, of which an image
    takes the largest over its tags (DuPL).

    Raises:
        ValueError: If the thresholds or the iterations are not in order.
    """

    def __init__(
        self,
        start: float | Sequence[float],
        end: float | Sequence[float],
        begin: int = 0,
        total: int | None = None,
        targets: Sequence[str] = ('thresholds',),
    ) -> None:
        pairs = _pairs(start, end)
        if not pairs or not all(0 < last <= first < 1 for first, last in pairs):
            raise ValueError(
                'expected thresholds 0 < end <= start < 1 in CosineThresholdHook, received '
                f'start={start}, end={end}'
            )
        self.targets = tuple(targets)
        if begin < 0 or (total is not None and total <= begin):
            raise ValueError(
                'expected iterations 0 <= begin < total in CosineThresholdHook, received '
                f'begin={begin}, total={total}'
            )
        self.start, self.end, self.begin, self.total = start, end, begin, total

    def before_train(self, runner: Runner) -> None:
        """Checks the segmentor's low threshold and the length of the training.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            TypeError: If the segmentor has no thresholds.
            ValueError: If its low threshold is not below ``end``.
        """
        for thresholds in self._thresholds(runner):
            if thresholds.low >= min(last for _, last in _pairs(self.start, self.end)):
                raise ValueError(
                    "expected the segmentor's low threshold below end of CosineThresholdHook, "
                    f'received low={thresholds.low}, end={self.end}; lower the one or raise the '
                    'other'
                )
        if self._total(runner) <= self.begin:
            raise ValueError(
                'expected begin of CosineThresholdHook before the end of the training, received '
                f'begin={self.begin}, max_iters={runner.max_iters}'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Sets and logs the threshold of this iteration.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
        """
        del batch_idx, data_batch
        total = self._total(runner) - self.begin
        iteration = min(max(runner.iter - self.begin, 0), total)
        highs = [
            float(cosine_threshold(iteration, total, first, last))
            for first, last in _pairs(self.start, self.end)
        ]
        for thresholds in self._thresholds(runner):
            thresholds.high = tuple(highs) if isinstance(self.start, Sequence) else highs[0]
        runner.message_hub.update_scalar('train/high_threshold', max(highs))

    def _total(self, runner: Runner) -> int:
        return runner.max_iters if self.total is None else self.total

    def _thresholds(self, runner: Runner) -> list[Any]:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        found = []
        for target in self.targets:
            thresholds = _part(model, target)
            if not hasattr(thresholds, 'high'):
                raise TypeError(
                    'expected a segmentor with thresholds.low and thresholds.high for '
                    f'CosineThresholdHook, received {type(model).__name__}, which has no '
                    f'{target!r} of its own; correct targets or remove the hook from custom_hooks'
                )
            found.append(thresholds)
        return found


def _part(model: Any, path: str) -> Any:
    for name in path.split('.'):
        children = getattr(model, '_modules', {})
        model = children[name] if name in children else getattr(model, name, None)
    return model


def _pairs(start: float | Sequence[float], end: float | Sequence[float]) -> list[Any]:
    starts = list(start) if isinstance(start, Sequence) else [start]
    ends = list(end) if isinstance(end, Sequence) else [end] * len(starts)
    return list(zip(starts, ends, strict=True)) if len(starts) == len(ends) else []
