"""Several optimisers seen as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.optim import OptimWrapper


class JointOptimizer:
    """Shows several optimisers as one to gradient clipping and to a gradient scaler.

    One gradient norm is then taken over all parameters, and an overflow anywhere skips the step
    of every member, so that no branch moves without the other.

    Args:
        members (Sequence[OptimWrapper]): Wrappers of the optimisers, stepped in this order. Their
            own ``step`` is called, by which MMEngine's schedulers see that it came first.

    Raises:
        ValueError: If there is no member.
    """

    def __init__(self, members: Sequence[OptimWrapper]) -> None:
        if not members:
            raise ValueError('expected at least one optimiser, received none')
        self.members = list(members)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """list[dict]: The groups of all members."""
        return [group for member in self.members for group in member.param_groups]

    @property
    def defaults(self) -> dict[str, Any]:
        """dict: The defaults of the first member."""
        return self.members[0].optimizer.defaults

    def step(self) -> None:
        """Steps every member."""
        for member in self.members:
            member.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of every member.

        Args:
            set_to_none (bool): Whether gradients become None instead of zero.
        """
        for member in self.members:
            member.zero_grad(set_to_none=set_to_none)
