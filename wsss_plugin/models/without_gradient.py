"""Passes without gradient that leave nothing behind for those with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_gradient() -> Iterator[None]:
    """Computes without gradient, and under autocast without its cache of weights.

    Autocast keeps the weights that it casts until it ends. Those cast without gradient would be
    used by later passes too, which then give the weights no gradient.

    >>> weight = torch.ones(2, 2, requires_grad=True)
    >>> with torch.autocast('cpu', torch.bfloat16):
    ...     with without_gradient():
    ...         _ = torch.ones(1, 2) @ weight
    ...     (torch.ones(1, 2) @ weight).requires_grad
    True
    """
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_autocast_cache_enabled(cached)
