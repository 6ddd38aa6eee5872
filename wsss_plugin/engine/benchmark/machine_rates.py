"""How fast a machine multiplies matrices and moves bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from wsss_plugin.engine.benchmark.product_shapes import ProductShape

_SMALLEST, _LARGEST = 1 << 12, 1 << 28


class MachineRates:
    """Seconds that products and copies take by themselves, measured once for each shape.

    Args:
        device: Where they run.
        dtype: Type of the numbers.
        repeats: How often each is run; the fastest counts.
        clock: Gives seconds.
    """

    def __init__(
        self,
        device: torch.device | str = 'cpu',
        dtype: torch.dtype = torch.float32,
        repeats: int = 3,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.device = torch.device(device)
        self.dtype = dtype
        self.repeats = repeats
        self.clock = clock
        self._products: dict[ProductShape, float] = {}
        self._copies: dict[int, float] = {}

    def product(self, shape: ProductShape) -> float:
        """Seconds of products of a shape.

        Args:
            shape: Number, rows, inner size and columns.
        """
        if shape not in self._products:
            number, rows, inner, columns = shape
            first, second = self._filled(number, rows, inner), self._filled(number, inner, columns)
            out = self._filled(number, rows, columns)
            # A single product by mm: bmm of one matrix takes another path on some processors.
            pair, result = ((first, second), out) if number > 1 else ((first[0], second[0]), out[0])
            multiply = torch.bmm if number > 1 else torch.mm
            self._products[shape] = self._seconds(partial(multiply, *pair, out=result))
        return self._products[shape]

    def move(self, moved: int) -> float:
        """Seconds to read and write bytes: a copy of half of them, at the rate of its size.

        Args:
            moved: Bytes read and written.
        """
        size = min(max(_SMALLEST, 1 << max(0, moved - 1).bit_length()), _LARGEST)
        if size not in self._copies:
            source = torch.zeros(size // 2, dtype=torch.uint8, device=self.device)
            self._copies[size] = self._seconds(partial(torch.empty_like(source).copy_, source))
        return self._copies[size] * moved / size

    def _filled(self, *shape: int) -> Tensor:
        return torch.ones(shape, dtype=self.dtype, device=self.device)

    def _seconds(self, function: Callable[[], Tensor]) -> float:
        function()
        return min(self._once(function) for _ in range(self.repeats))

    def _once(self, function: Callable[[], Tensor]) -> float:
        self._wait()
        start = self.clock()
        function()
        self._wait()
        return self.clock() - start

    def _wait(self) -> None:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
