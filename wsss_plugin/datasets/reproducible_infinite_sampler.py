"""Endless sampler whose samples do not depend on the number of processes or workers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmengine.dist import get_dist_info, sync_random_seed
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from wsss_plugin.datasets.seeded_index import SeededIndex
from wsss_plugin.errors import ConfigError


@DATA_SAMPLERS.register_module()
class ReproducibleInfiniteSampler(Sampler):
    """Yields every rank's slice of one endless stream of seeded indices.

    Rank r of W takes positions r, r + W, r + 2W, ... of the stream, and a sample's seed follows
    from the base seed and its position alone. W processes with batches of B therefore see, in
    every iteration, the samples and the augmentation of one process with batches of W x B.

    Args:
        dataset (Sized): The data set.
        shuffle (bool): Whether every pass over the data set has its own random order.
        seed (int | None): Base seed, not negative; agreed upon by all ranks when None.

    Raises:
        ConfigError: The data set is empty or the seed is negative.

    Example:
        >>> sampler = ReproducibleInfiniteSampler([0] * 3, shuffle=False, seed=0)
        >>> stream = iter(sampler)
        >>> [int(next(stream)) for _ in range(4)]
        [0, 1, 2, 0]
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        self.size = len(dataset)
        if self.size == 0:
            raise ConfigError('dataset: expected at least one sample, received an empty data set')
        self.seed = sync_random_seed() if seed is None else int(seed)
        if self.seed < 0:
            raise ConfigError(f'seed: expected a value of at least 0, received {seed}')
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.skipped = 0

    def skip(self, num_samples: int) -> None:
        """Begins later in the stream, so that a resumed training loads nothing it has seen.

        A sample follows from its seed, so those that are never made are not missed. Under a data
        set that ignores the seed only the indices continue, the augmentation differs.

        Args:
            num_samples (int): Number of this rank's samples, from the beginning of the stream,
                that the next iterations leave out.

        Raises:
            ConfigError: The number is negative.

        Example:
            >>> sampler = ReproducibleInfiniteSampler([0] * 3, shuffle=False, seed=0)
            >>> sampler.skip(4)
            >>> int(next(iter(sampler)))
            1
        """
        if num_samples < 0:
            raise ConfigError(
                f'num_samples: expected a value of at least 0, received {num_samples}'
            )
        self.skipped = num_samples

    def _stream(self) -> Iterator[int]:
        generator = torch.Generator()
        generator.manual_seed(self.seed)
        while True:
            if self.shuffle:
                yield from torch.randperm(self.size, generator=generator).tolist()
            else:
                yield from range(self.size)

    def __iter__(self) -> Iterator[int]:
        """Yields this rank's seeded indices, without end."""
        numbered = enumerate(self._stream())
        first = self.rank + self.skipped * self.world_size
        for position, index in itertools.islice(numbered, first, None, self.world_size):
            state = np.random.SeedSequence((self.seed, position)).generate_state(1)
            yield SeededIndex(index, int(state[0]))

    def __len__(self) -> int:
        """Returns the number of samples in one pass over the data set."""
        return self.size

    def set_epoch(self, epoch: int) -> None:
        """Does nothing: the stream has no epochs; training loops call it all the same."""
