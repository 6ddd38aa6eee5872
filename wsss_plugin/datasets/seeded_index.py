"""An index into a data set that carries the seed of its sample's augmentation."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

from wsss_plugin.errors import ConfigError


class SeededIndex(int):
    """Integer index with a seed, so that a sample looks the same in whatever process it is made.

    Behaves as the plain integer. ``%`` and ``-`` keep the seed, because data set wrappers
    (repeat, concatenate) use them to find the index inside the wrapped set.

    Args:
        value (int): Index into the data set.
        seed (int): Seed of the sample's augmentation, 0 to 2**32 - 1.

    Raises:
        ConfigError: The seed is out of range.

    Example:
        >>> index = SeededIndex(7, seed=3) % 5
        >>> index, index.seed
        (2, 3)
    """

    seed: int

    def __new__(cls, value: int, seed: int) -> SeededIndex:
        if not 0 <= seed < 2**32:
            raise ConfigError(f'seed: expected a value from 0 to 2**32 - 1, received {seed}')
        index = super().__new__(cls, value)
        index.seed = int(seed)
        return index

    def __reduce__(self) -> tuple[type[SeededIndex], tuple[int, int]]:
        return type(self), (int(self), self.seed)

    def __mod__(self, other: int) -> SeededIndex:
        return SeededIndex(int(self) % other, self.seed)

    def __sub__(self, other: int) -> SeededIndex:
        return SeededIndex(int(self) - other, self.seed)


@contextlib.contextmanager
def random_state(seed: int) -> Iterator[None]:
    """Seeds Python's, NumPy's and PyTorch's CPU generators and restores their states afterwards.

    Args:
        seed (int): Seed from 0 to 2**32 - 1.

    Yields:
        None: Inside the context the three generators follow from ``seed`` alone.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would reach the accelerators' generators too.
            torch.default_generator.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
