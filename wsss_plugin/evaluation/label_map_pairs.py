"""Two folders of label maps of the same images, counted against the true masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from wsss_plugin.datasets.masks import require_readable_mask
from wsss_plugin.datasets.text_files import read_lines
from wsss_plugin.errors import DataError, MissingFileError, listed
from wsss_plugin.evaluation.sparse_counts import count_classes

_VALUES = 256
UNDECIDED = ('skip', 'wrong')


def label_map_names(folders: Sequence[str], list_file: str | None = None) -> list[str]:
    """The images of which every folder has a label map.

    Args:
        folders: Folders of ``<name>.png``.
        list_file: Names of the images, one per line; None for all, which then have to be the same
            in every folder.

    Returns:
        The names in order.

    Raises:
        MissingFileError: If a folder does not exist or is empty.
        DataError: If a folder lacks an image that is compared; names it.
    """
    found = [_names(folder) for folder in folders]
    wanted = set(read_lines(list_file)) if list_file else set.union(*found)
    for folder, names in zip(folders, found, strict=True):
        if missing := sorted(wanted - names):
            raise DataError(
                f'{folder}: expected a label map of every image that is compared, found none of '
                f'{listed(missing, 3)}; predict the same images for both, or name those of both by '
                '--list'
            )
    return sorted(wanted)


def count_label_maps(
    names: Sequence[str],
    folders: Sequence[str],
    truth: str,
    ignore_index: int = 255,
    undecided: str = 'skip',
) -> np.ndarray:
    """Pixel counts of every image in every folder.

    Args:
        names: Names of the images.
        folders: Folders of label maps ``<name>.png``.
        truth: Folder of the true masks ``<name>.png``.
        ignore_index: Value that is not decided, in all of them.
        undecided: What a pixel is that a label map does not decide: 'skip' counts it for no folder,
            'wrong' counts it as missed.

    Returns:
        Pixels (F, N, 3, C) for F folders: intersection, predicted, labelled.

    Raises:
        ValueError: If ``undecided`` is neither.
        MissingFileError: If a mask is missing.
        DataError: If a file is no mask, or sizes differ; names it.
    """
    if undecided not in UNDECIDED:
        raise ValueError(f'expected undecided among {UNDECIDED}, received {undecided!r}')
    counts = np.zeros((len(folders), len(names), 3, _VALUES), dtype=np.int32)
    for index, name in enumerate(names):
        true = _read(truth, name)
        maps = [_read(folder, name) for folder in folders]
        for folder, label in zip(folders, maps, strict=True):
            if label.shape != true.shape:
                raise DataError(
                    f'{Path(folder, name)}.png: expected a label map of the size of its mask '
                    f'{tuple(true.shape)}, received {tuple(label.shape)}; write it at the size of '
                    'the original image'
                )
        if undecided == 'skip':
            known = torch.stack([label != ignore_index for label in maps]).all(dim=0)
            true = torch.where(known, true, ignore_index)
        # One more value than there can be classes, so that an undecided pixel is of no class.
        found = count_classes(maps, true, _VALUES, ignore_index)
        counts[:, index][..., found.classes] = found.counts
    counts[..., ignore_index] = 0
    largest = np.flatnonzero(counts.any(axis=(0, 1, 2))).max(initial=0)
    return counts[..., : largest + 1]


def _names(folder: str) -> set[str]:
    names = {path.relative_to(folder).with_suffix('').as_posix() for path in _pngs(folder)}
    if not names:
        raise MissingFileError(
            f'{folder}: expected a folder of label maps as PNG, found none; write one by '
            'tools/export_labels.py, or by tools/test.py with test_evaluator.output_dir'
        )
    return names


def _pngs(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob('*.png'))


def _read(folder: str, name: str) -> torch.Tensor:
    path = Path(folder, f'{name}.png')
    require_readable_mask(str(path))
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image)).long()
