"""The optimisers inside a wrapper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.optim import OptimWrapperDict
from torch.optim import Optimizer


def torch_optimizers(wrapper: Any) -> Iterator[Optimizer]:
    """Yields the optimisers that step the parameters.

    Args:
        wrapper (OptimWrapper | OptimWrapperDict): The wrapper; those inside are looked into.

    Yields:
        Optimizer: Each once.

    Examples:
        >>> import torch
        >>> from mmengine.optim import OptimWrapper
        >>> wrapper = OptimWrapper(torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=1))
        >>> [type(optimizer).__name__ for optimizer in torch_optimizers(wrapper)]
        ['SGD']
    """
    if isinstance(wrapper, OptimWrapperDict):
        for member in wrapper.values():
            yield from torch_optimizers(member)
    elif isinstance(getattr(wrapper, 'optimizer', None), Optimizer):
        yield wrapper.optimizer
