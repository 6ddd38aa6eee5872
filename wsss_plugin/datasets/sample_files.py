"""Checks of the files of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsss_plugin.datasets.file_names import LinkGuard
from wsss_plugin.errors import DataError, cut

_KINDS = {'img_path': 'image', 'seg_map_path': 'mask'}


def require_different_files(
    samples: Sequence[Mapping[str, Any]], keys: Sequence[str], ann_file: str
) -> None:
    """Checks that no two samples have one file.

    Args:
        samples (Sequence[Mapping]): The samples, as ``load_samples`` lists them.
        keys (Sequence[str]): Which of their files count.
        ann_file (str): The file that lists them.

    Raises:
        DataError: Two samples have one file.
    """
    for key in keys:
        first: dict[str, Mapping[str, Any]] = {}
        for sample in samples:
            path = sample.get(key)
            if path is None:
                continue
            if path in first:
                raise DataError(
                    f'{ann_file}: expected one entry for every {_KINDS[key]}, received '
                    f'{cut(path)} for {_entry(first[path])} and {_entry(sample)}; remove or '
                    'rename one of them'
                )
            first[path] = sample


def require_files_inside(
    samples: Sequence[Mapping[str, Any]], keys: Sequence[str], ann_file: str, guard: LinkGuard
) -> None:
    """Checks that no link leads out of the data set.

    Args:
        samples (Sequence[Mapping]): The samples, as ``load_samples`` lists them.
        keys (Sequence[str]): Which of their files count, beside the source of their tags.
        ann_file (str): The file that lists them.
        guard (LinkGuard): Knows the folders of the data set.

    Raises:
        DataError: A file lies outside.
    """
    for sample in samples:
        where = f'{ann_file}: {_entry(sample)}'
        for path in (*(sample.get(key) for key in keys), sample['source']):
            if path and path != ann_file:
                guard.check(path, where)


def _entry(sample: Mapping[str, Any]) -> str:
    return cut(sample.get('entry', f'image {sample["name"]}'))
