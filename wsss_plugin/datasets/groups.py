"""Groups of images, by which a test is also reported."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.file_names import relative_name
from wsss_plugin.datasets.image_files import IMAGE_SUFFIXES
from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.errors import DataError, cut, received


class Groups:
    """Groups by image, from a JSON object of image names to lists of group names.

    Images are named with or without suffix. The file may serve several splits: images that exist
    need not be in a split.

    Args:
        path (Path): The file.
        folder (Path): Folder of the images.

    Raises:
        DataError: The content is not understood.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        groups = read_json(path)
        if not isinstance(groups, dict):
            raise DataError(
                f'{path}: expected an object of image names to lists of groups, received '
                f'{received(groups)}; write one'
            )
        for image, names in groups.items():
            if not _are_names(names):
                raise DataError(
                    f'{path}: expected a list of names of groups for image {cut(image)}, received '
                    f'{received(names)}; write a list, an empty one for no group'
                )
        self._groups: dict[str, list[str]] = groups

    def of(self, samples: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
        """Returns the groups of every sample.

        Args:
            samples (Iterable[dict]): Have ``name`` and ``img_path``.

        Returns:
            list[tuple[str, ...]]: Groups, in the order of the samples.

        Raises:
            DataError: An entry belongs to no image, or two belong to one.
        """
        used: set[str] = set()
        groups = []
        for sample in samples:
            names = (sample['name'], sample['name'] + Path(sample['img_path']).suffix)
            found = [name for name in names if name in self._groups]
            if len(found) > 1:
                raise DataError(
                    f'{self.path}: expected one entry per image, received {cut(found[0])} and '
                    f'{cut(found[1])}; remove one of them'
                )
            used.update(found)
            groups.append(tuple(self._groups[found[0]]) if found else ())
        self._require_images(self._groups.keys() - used)
        return groups

    def _require_images(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            file = relative_name(name, f'{self.path}: entry {received(name)}')
            suffixes = ('', *IMAGE_SUFFIXES, *(suffix.upper() for suffix in IMAGE_SUFFIXES))
            if not any(os.path.isfile(self.folder / (file + suffix)) for suffix in suffixes):
                raise DataError(
                    f'{self.path}: expected names of images in {self.folder}, received '
                    f'{received(name)}, which is none; correct the name or remove the entry'
                )


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and name for name in names)
