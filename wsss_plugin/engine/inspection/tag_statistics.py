"""How often classes are tagged, and which cannot be told apart by tags."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from wsss_plugin.engine.inspection.tagged_split import TaggedSplit

# Below it, that a class is always beside another one may be chance.
_FEW = 5


def tag_statistics(split: TaggedSplit) -> dict[str, Any]:
    """Counts of a split.

    Args:
        split: The split.

    Returns:
        Values for JSON: ``images``; ``background_only``, images with an empty list of tags;
        ``unknown``, images without tags; ``tags_per_image``, their mean; ``by_class``, images by
        name; ``never``, classes that no image has; ``always``, classes that every image has, of
        five or more; ``always_together``, groups of classes that the
        same images have; ``only_with``, pairs of which the first class, of five images or more,
        is never without the second.

    >>> split = TaggedSplit('train', ('rail', 'train', 'cow'), ('a', 'b'), ('a', 'b'),
    ...     ((0, 1), ()), (None, None), ())
    >>> found = tag_statistics(split)
    >>> found['by_class'], found['never'], found['always_together']
    ({'rail': 1, 'train': 1, 'cow': 0}, ['cow'], [['rail', 'train']])
    """
    matrix = split.matrix
    counts = matrix.sum(axis=0)
    known = [tags for tags in split.tags if tags is not None]
    return {
        'images': len(split),
        'background_only': sum(not tags for tags in known),
        'unknown': len(split) - len(known),
        'tags_per_image': round(float(counts.sum()) / max(len(known), 1), 3),
        'by_class': {name: int(count) for name, count in zip(split.classes, counts, strict=True)},
        'never': [name for name, count in zip(split.classes, counts, strict=True) if not count],
        'always': [
            name
            for name, count in zip(split.classes, counts, strict=True)
            if count == len(known) >= _FEW
        ],
        'always_together': [split.names_of(group) for group in _always_together(matrix)],
        'only_with': [split.names_of(pair) for pair in _only_with(matrix)],
    }


def _always_together(matrix: np.ndarray) -> list[list[int]]:
    groups: dict[bytes, list[int]] = {}
    for number in np.flatnonzero(matrix.any(axis=0)):
        groups.setdefault(np.packbits(matrix[:, number]).tobytes(), []).append(int(number))
    return [group for group in groups.values() if len(group) > 1]


def _only_with(matrix: np.ndarray) -> list[Sequence[int]]:
    counts = matrix.sum(axis=0)
    together = matrix.astype(np.int64).T @ matrix.astype(np.int64)
    return [
        pair
        for one, other in combinations(range(len(counts)), 2)
        for pair in ((one, other), (other, one))
        if counts[pair[1]] > counts[pair[0]] >= _FEW
        and together[pair[0], pair[1]] == counts[pair[0]]
    ]
