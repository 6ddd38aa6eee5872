"""Stops a training whose numbers are no longer finite."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor
from torch.optim import Optimizer

from wsss_plugin.engine.batch_images import image_names
from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.engine.finite_weights import check_finite, learnt
from wsss_plugin.engine.torch_optimizers import torch_optimizers


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Stops at the first step whose loss or gradients are NaN or infinite.

    No checkpoint is written or removed after it, and none with such weights at any time. A step
    that mixed precision leaves out, because the scaled gradients overflow, does not count, unless
    many follow each other.

    Args:
        max_skipped (int): Steps in a row that mixed precision may leave out. A scale of 2^16 that
            is halved every time is 1 after 16.

    Raises:
        ValueError: If ``max_skipped`` is below 1.
    """

    # Before hooks that save, average or log.
    priority = 'VERY_HIGH'

    def __init__(self, max_skipped: int = 24) -> None:
        if max_skipped < 1:
            raise ValueError(
                f'expected max_skipped of NonFiniteHook to be at least 1, received {max_skipped}'
            )
        self.max_skipped = max_skipped
        self._skipped = 0
        self._names: dict[Tensor, str] = {}
        self._norms: list[Tensor] = []
        self._suspects: list[str] = []

    def before_train(self, runner: Runner) -> None:
        """Checks the weights with which the training begins and watches the optimisers.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ValueError: If a weight is not finite.
        """
        model = unwrapped(runner.model)
        weights = learnt(model, model.state_dict())
        check_finite(weights, f'{type(model).__name__} at the start of the training')
        self._names = {parameter: name for name, parameter in model.named_parameters()}
        for optimizer in torch_optimizers(runner.optim_wrapper):
            optimizer.register_step_pre_hook(self._before_step)

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        """Takes the largest gradient, without waiting for the device."""
        found = getattr(optimizer, 'found_inf', None)
        if found is not None and bool(found):
            # A fused optimiser leaves the step out by itself.
            return
        parameters = [p for group in optimizer.param_groups for p in group['params']]
        gradients = [p.grad.detach() for p in parameters if p.grad is not None]
        gradients = [g.coalesce().values() if g.is_sparse else g for g in gradients]
        norm = torch.nn.utils.get_total_norm(gradients, norm_type=math.inf)
        self._norms.append(norm)
        if norm.device.type == 'cpu' and not bool(torch.isfinite(norm)):
            self._remember(parameters)

    def _remember(self, parameters: list[Tensor]) -> None:
        for parameter in parameters:
            if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
                self._suspects.append(self._names.get(parameter, 'a parameter'))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Looks at losses and gradients.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Its images are named.
            outputs (dict): Losses by name.

        Raises:
            RuntimeError: If they are not finite, on any process; names iteration, loss and images.
        """
        del batch_idx
        losses = _not_finite(outputs)
        stepped, norms = bool(self._norms), self._norms
        self._norms = []
        gradients = any(not bool(torch.isfinite(norm)) for norm in norms)
        self._count_skipped(runner, stepped)
        # With a scaler a bad loss leaves the weights alone: the step was left out.
        spoilt = gradients or (bool(losses) and (stepped or not _scales(runner)))
        overflow = self._skipped > self.max_skipped
        flag = torch.tensor(float(spoilt or overflow))
        all_reduce(flag, 'sum')
        if float(flag):
            raise RuntimeError(self._message(runner, losses, data_batch, overflow))

    def _count_skipped(self, runner: Runner, stepped: bool) -> None:
        due = runner.optim_wrapper.should_update() if _scales(runner) else stepped
        if stepped:
            self._skipped = 0
        elif due:
            self._skipped += 1

    def _message(
        self, runner: Runner, losses: dict[str, float], data_batch: Any, overflow: bool
    ) -> str:
        found = [f'{name}={value}' for name, value in losses.items()]
        weights = self._suspects or self._weights(runner)
        if weights and not overflow:
            others = ', ...' if len(weights) > 3 else ''
            found.append(f'gradients of {", ".join(weights[:3])}{others}')
        if overflow:
            found.append(f'{self._skipped} steps in a row left out by mixed precision')
        images = image_names(data_batch)
        shown = ', '.join(images[:8]) + ('...' if len(images) > 8 else '')
        where = f' with the images {shown}' if images else ''
        return (
            f'expected finite losses and gradients, received {"; ".join(found) or "others"} in '
            f'iteration {runner.iter + 1}{where}; nothing was saved since: look at these images, '
            'lower the learning rates or clip gradients (optim_wrapper.clip_grad), and continue '
            'from the last checkpoint with --resume'
        )

    @staticmethod
    def _weights(runner: Runner) -> list[str]:
        """Parameters that the step has spoilt."""
        parameters = unwrapped(runner.model).named_parameters()
        return [name for name, value in parameters if not bool(torch.isfinite(value).all())]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuses to save weights that are not finite.

        Args:
            runner (Runner): Counts the iterations.
            checkpoint (dict): About to be saved.

        Raises:
            ValueError: If a weight is not finite; names it.
        """
        weights = learnt(unwrapped(runner.model), checkpoint['state_dict'])
        check_finite(weights, f'the checkpoint to be saved (iteration {runner.iter + 1})')


def _not_finite(outputs: Any) -> dict[str, float]:
    # The toolbox adds up what has this word in its name; other figures may be without a value.
    numbers = {
        name: float(value.detach() if isinstance(value, Tensor) else value)
        for name, value in (outputs.items() if isinstance(outputs, dict) else ())
        if 'loss' in name and (not isinstance(value, Tensor) or value.numel() == 1)
    }
    found = {name: value for name, value in numbers.items() if not math.isfinite(value)}
    # The sum says less than its terms.
    terms = {name: value for name, value in found.items() if name != 'loss'}
    return terms or found


def _scales(runner: Runner) -> bool:
    scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
    enabled = getattr(scaler, 'is_enabled', None)
    return bool(enabled and enabled())
