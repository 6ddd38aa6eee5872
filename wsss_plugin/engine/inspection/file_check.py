"""Files of images that cannot be read or are there twice, and their sizes."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.utils import track_iter_progress

from wsss_plugin.errors import cut

_CHUNK = 1 << 20
_COMMON = 5


@dataclass
class FileCheck:
    """What files are.

    Attributes:
        unreadable: Why a file cannot be read, by path.
        duplicates: Groups of paths of files with the same bytes.
        sizes: Number of images by (width, height) in pixels.
        extremes: Paths of the images with the fewest and the most pixels.
    """

    unreadable: dict[str, str] = field(default_factory=dict)
    duplicates: list[list[str]] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    extremes: tuple[str, str] | None = None

    @property
    def copies(self) -> dict[str, int]:
        """Number of the group of each path with duplicates."""
        return {path: number for number, group in enumerate(self.duplicates) for path in group}

    def as_json(self) -> dict[str, Any]:
        """The same as values for JSON.

        Returns:
            ``readable``, ``unreadable``, ``duplicates`` and ``sizes``.
        """
        return {
            'readable': sum(self.sizes.values()),
            'unreadable': [
                {'file': path, 'reason': reason} for path, reason in self.unreadable.items()
            ],
            'duplicates': self.duplicates,
            'sizes': self._sizes(),
        }

    def _sizes(self) -> dict[str, Any]:
        if not self.sizes or self.extremes is None:
            return {}
        numbers = list(self.sizes.values())
        sides = np.repeat(np.array(list(self.sizes)), numbers, axis=0)
        smallest, largest = self.extremes
        found: dict[str, Any] = {
            name: {
                'min': int(values.min()),
                'median': float(np.median(values)),
                'max': int(values.max()),
            }
            for name, values in (('width', sides[:, 0]), ('height', sides[:, 1]))
        }
        common = [[*size, number] for size, number in self.sizes.most_common(_COMMON)]
        return {**found, 'common': common, 'smallest': smallest, 'largest': largest}


def check_files(paths: Sequence[str], load: Callable[[dict], dict | None]) -> FileCheck:
    """Opens every file once, one at a time, so that memory does not grow with their sizes.

    Args:
        paths: The files.
        load: The step of a pipeline that loads ``img`` from ``img_path``.

    Returns:
        What was found.
    """
    check = FileCheck(duplicates=same_bytes(paths))
    areas: dict[str, int] = {}
    for path in track_iter_progress(list(dict.fromkeys(paths))):
        try:
            loaded = load({'img_path': path})
            height, width = (loaded or {})['img'].shape[:2]
        except Exception as error:
            # Whatever is wrong with one file, the others are looked at too.
            check.unreadable[path] = cut(error, 300)
            continue
        check.sizes[width, height] += 1
        areas[path] = width * height
    if areas:
        check.extremes = min(areas, key=areas.__getitem__), max(areas, key=areas.__getitem__)
    return check


def same_bytes(paths: Iterable[str]) -> list[list[str]]:
    """Groups of different files with the same bytes; only those of one length are read.

    Args:
        paths: The files; missing ones are left out.

    Returns:
        Groups of two paths or more, in the order of the first.
    """
    lengths: dict[int, list[str]] = {}
    for path in dict.fromkeys(paths):
        if os.path.isfile(path):
            lengths.setdefault(os.path.getsize(path), []).append(path)
    groups: dict[bytes, list[str]] = {}
    for alike in lengths.values():
        for path in alike if len(alike) > 1 else ():
            groups.setdefault(_digest(path), []).append(path)
    return [group for group in groups.values() if len(group) > 1]


def _digest(path: str) -> bytes:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
