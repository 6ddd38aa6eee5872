"""A moving average that counts optimiser steps, not iterations."""

from __future__ import annotations

import torch
from mmengine.model import ExponentialMovingAverage
from mmseg.registry import MODELS
from torch import nn


@MODELS.register_module()
class StepwiseMovingAverage(ExponentialMovingAverage):
    """``t <- (1 - momentum) t + momentum s`` once for every change of the student's weights s.

    The first update copies the student. Iterations that only accumulate gradients, and steps that
    mixed precision skips after an overflow, change no weight and so leave the average as it is.
    What the last update saw is kept as a buffer, so a resumed training knows it, and every process
    of a data-parallel training, having the same weights, decides alike.

    Args:
        model: The student.
        momentum: Share of the student in an update, in (0, 1).

    Raises:
        ValueError: If ``momentum`` is not in (0, 1).

    Examples:
        >>> student = nn.Linear(1, 1, bias=False)
        >>> teacher = StepwiseMovingAverage(student, momentum=0.5)
        >>> for weight in (0.0, 1.0, 1.0, 1.0):
        ...     _ = nn.init.constant_(student.weight, weight)
        ...     teacher.update_parameters(student)
        >>> teacher.module.weight.item(), teacher.steps.item()
        (0.5, 2)
    """

    seen: torch.Tensor

    def __init__(self, model: nn.Module, momentum: float) -> None:
        if not 0 < momentum < 1:
            raise ValueError(
                'expected a momentum of the moving average above 0 and below 1, received '
                f'{momentum}; momentum of ClassTokenContrastTerm is 1 minus this'
            )
        super().__init__(model, momentum=momentum)
        # Sums of the weights: no second copy of the student. NaN differs from everything.
        nothing = torch.full((len(self.avg_parameters),), torch.nan, dtype=torch.float64)
        self.register_buffer('seen', nothing)

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Moves the average if the student has changed since the last call.

        Args:
            model: The student.
        """
        student = dict(model.named_parameters())
        sums = torch.stack([student[name].sum(dtype=torch.float64) for name in self.avg_parameters])
        changed = (sums != self.seen).any()
        # Kept on the device: a branch on a tensor's value would wait for the GPU.
        share = torch.where(self.steps == 0, sums.new_ones(()), self.momentum) * changed
        for name, average in self.avg_parameters.items():
            average.lerp_(student[name], share.to(average.dtype))
        for average, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
            average.copy_(buffer)
        self.seen.copy_(sums)
        self.steps += changed
