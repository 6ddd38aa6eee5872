"""Images that are kept from a training to judge it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsss_plugin.errors import ConfigError


def hold_out(
    tags: np.ndarray | Sequence[Sequence[int]], share: float = 0.1, seed: int = 0
) -> list[int]:
    """Draws images such that about the same share of every class is held out.

    The rarest class is drawn first, from images that are not drawn yet; images without tags come
    last (after Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-label Data, 2011).

    Args:
        tags: Tags (N, K), 0 or 1.
        share: Share of the images, in (0, 1).
        seed: Seed of the draw.

    Returns:
        Indices of the images in increasing order. A class of one image is left to the training.

    Raises:
        ConfigError: If the share is out of range.

    >>> tags = np.repeat([[1, 0], [0, 1]], 10, axis=0)
    >>> tags[hold_out(tags, 0.2)].sum(axis=0)
    array([2, 2])
    """
    if not 0 < share < 1:
        raise ConfigError(f'expected a share of the images in (0, 1), received {share}')
    tagged = np.asarray(tags).astype(bool)
    rng = np.random.default_rng(seed)
    held = np.zeros(len(tagged), dtype=bool)
    counts = tagged.sum(axis=0)
    for column in np.argsort(counts, kind='stable'):
        own = tagged[:, column]
        wanted = min(round(share * counts[column]), counts[column] - 1)
        _draw(rng, held, own, int(wanted - (own & held).sum()))
    without = np.logical_not(tagged.any(axis=1))
    _draw(rng, held, without, round(share * without.sum()))
    return np.flatnonzero(held).tolist()


def _draw(rng: np.random.Generator, held: np.ndarray, among: np.ndarray, number: int) -> None:
    free = np.flatnonzero(among & ~held)
    if number > 0 and len(free):
        held[rng.choice(free, min(number, len(free)), replace=False)] = True
