"""What the operators of a computation multiply, move and take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from wsss_plugin.engine.benchmark.product_shapes import ProductShape, product_shapes

# Their inputs are tables of which they read as much as they write.
_READ_AS_MUCH = {'aten::index', 'aten::gather', 'aten::index_select', 'aten::embedding'}


@dataclass(frozen=True)
class OperatorCall:
    """One call of an operator.

    Args:
        part: The part of the computation.
        name: Name of the operator, without namespace.
        products: Shapes of its matrix products.
        moved: Bytes that it reads and writes at least.
        seconds: How long it took.
    """

    part: str
    name: str
    products: tuple[ProductShape, ...]
    moved: int
    seconds: float


class OperatorLog(TorchDispatchMode):
    """Records each operator that runs while the context lasts; views of tensors are none.

    Args:
        part: Tells the part of the computation that runs.
        device: Where it runs; a GPU is waited for around each operator.

    >>> log = OperatorLog()
    >>> with log:
    ...     _ = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> [(call.name, call.products, call.moved) for call in log.calls][-1]
    ('mm', ((1, 2, 3, 4),), 104)
    """

    def __init__(
        self, part: Callable[[], str] = lambda: '', device: torch.device | str = 'cpu'
    ) -> None:
        super().__init__()
        self.calls: list[OperatorCall] = []
        self._part = part
        self._device = torch.device(device)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Runs an operator and records it."""
        start = self._now()
        result = func(*args, **(kwargs or {}))
        seconds = self._now() - start
        if not func.is_view:
            name = func.name().split('.')[0]
            shapes = product_shapes(name, args, result)
            moved = _moved(name, (args, kwargs or {}), result)
            short = name.split('::')[1]
            self.calls.append(OperatorCall(self._part(), short, tuple(shapes), moved, seconds))
        return result

    def _now(self) -> float:
        if self._device.type == 'cuda':
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def _moved(name: str, inputs: Any, result: Any) -> int:
    written = sum(_sizes(tree_leaves(result)))
    if name in _READ_AS_MUCH:
        return 2 * written
    return written + sum(_sizes(tree_leaves(inputs)))


def _sizes(values: Iterable[Any]) -> Iterator[int]:
    """Bytes of tensors; of a view that repeats its values, only those that it has."""
    for value in values:
        if isinstance(value, Tensor):
            yield min(value.numel() * value.element_size(), value.untyped_storage().nbytes())
