"""Seconds per part of a computation."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch


class PartTimer:
    """Adds up the time of named parts; a part inside another one does not count in the outer.

    Args:
        device: Device of the computation; at the borders of the parts a GPU is waited for.
        clock: Gives seconds.

    >>> times = iter((0.0, 1.0, 3.0, 7.0))
    >>> timer = PartTimer('cpu', clock=lambda: next(times))
    >>> with timer.part('outer'):
    ...     with timer.part('inner'):
    ...         pass
    >>> timer.seconds
    {'outer': 5.0, 'inner': 2.0}
    """

    def __init__(
        self, device: torch.device | str, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.device = torch.device(device)
        self.clock = clock
        self._totals: defaultdict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since = 0.0

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by name, in the order in which the parts were first entered."""
        return dict(self._totals)

    @property
    def current(self) -> str:
        """Name of the innermost part that runs; empty outside of all."""
        return self._running[-1] if self._running else ''

    def reset(self) -> None:
        """Forgets all times."""
        self._totals.clear()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts the time inside the context.

        Args:
            name: Name of the part; several contexts of one name are added up.
        """
        self._charge()
        self._totals[name] += 0.0
        self._running.append(name)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()

    def _charge(self) -> None:
        """Gives the time since the last border to the innermost part."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        now = self.clock()
        if self._running:
            self._totals[self._running[-1]] += now - self._since
        self._since = now

    @contextmanager
    def attached(self, methods: Mapping[tuple[Any, str], str]) -> Iterator[None]:
        """Counts the calls of methods as parts, while the context lasts.

        Args:
            methods: Names of parts by object and name of its method.
        """
        with ExitStack() as stack:
            for (owner, method), name in methods.items():
                setattr(owner, method, self.counted(getattr(owner, method), name))
                stack.callback(delattr, owner, method)
            yield

    def counted(self, function: Callable, name: str) -> Callable:
        """A function whose calls are counted as a part.

        Args:
            function: The function.
            name: Name of the part.

        Returns:
            What to call in its place.
        """

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return call
