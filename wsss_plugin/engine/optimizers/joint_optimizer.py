"""Several optimisers seen as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import Optimizer


class JointOptimizer:
    """Shows several optimisers as one to gradient clipping and to a gradient scaler.

    One gradient norm is then taken over all parameters, and an overflow anywhere skips the step
    of every member, so that no branch moves without the other.

    Args:
        optimizers (Sequence[Optimizer]): The members, stepped in this order.

    Raises:
        ValueError: If there is no member.
    """

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        if not optimizers:
            raise ValueError('expected at least one optimiser, received none')
        self.optimizers = list(optimizers)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """list[dict]: The groups of all members."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    @property
    def defaults(self) -> dict[str, Any]:
        """dict: The defaults of the first member."""
        return self.optimizers[0].defaults

    def step(self) -> None:
        """Steps every member."""
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of every member.

        Args:
            set_to_none (bool): Whether gradients become None instead of zero.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=set_to_none)
