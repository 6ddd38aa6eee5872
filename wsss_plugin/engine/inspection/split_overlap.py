"""Images that two splits share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from wsss_plugin.engine.inspection.tagged_split import TaggedSplit


def split_overlap(
    splits: Sequence[TaggedSplit], copies: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """Finds images that are in two splits.

    Args:
        splits: The splits.
        copies: Number of the group of files with the same bytes, by path; None where the files
            were not compared.

    Returns:
        Values for JSON, for each pair of splits ``splits``, their names; ``same_file``, names of
        the images that both list; and ``same_bytes``, pairs of different files with equal content.
    """
    found = []
    for one, other in combinations(splits, 2):
        first, second = _by_file(one), _by_file(other)
        shared = [first[file] for file in first if file in second]
        pairs = _copies(one, other, copies or {})
        if shared or pairs:
            found.append(
                {'splits': [one.name, other.name], 'same_file': shared, 'same_bytes': pairs}
            )
    return found


def _by_file(split: TaggedSplit) -> dict[str, str]:
    return {
        os.path.realpath(path): name for path, name in zip(split.paths, split.images, strict=True)
    }


def _copies(one: TaggedSplit, other: TaggedSplit, copies: Mapping[str, int]) -> list[list[str]]:
    first: dict[int, list[tuple[str, str]]] = {}
    for path, name in zip(one.paths, one.images, strict=True):
        if path in copies:
            first.setdefault(copies[path], []).append((path, name))
    pairs = []
    for path, name in zip(other.paths, other.images, strict=True):
        for copied, first_name in first.get(copies.get(path, -1), ()):
            if os.path.realpath(copied) != os.path.realpath(path):
                pairs.append([first_name, name])
    return pairs
