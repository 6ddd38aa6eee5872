"""Images and tags of a config before a training."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image

from wsss_plugin.datasets import LoadImageOrRaise, TagDataset
from wsss_plugin.datasets.image_files import find_images
from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.inspection.file_check import check_files
from wsss_plugin.engine.inspection.mask_contradictions import mask_contradictions
from wsss_plugin.engine.inspection.short_form import short_form
from wsss_plugin.engine.inspection.split_overlap import split_overlap
from wsss_plugin.engine.inspection.tag_statistics import tag_statistics
from wsss_plugin.engine.inspection.tagged_split import TaggedSplit, read_split
from wsss_plugin.engine.inspection.view_sheet import view_sheet
from wsss_plugin.engine.pipeline_steps import dataset_config
from wsss_plugin.errors import ConfigError
from wsss_plugin.whole_file import whole_file, write_json

SPLITS = ('train', 'val', 'test')
INSPECTION_FILE = 'inspection.json'
SHEET_FILE = 'views.png'


def inspect_data(
    config: Config,
    out: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    views: int = 8,
    losses: Sequence[str] = (),
    files: bool = True,
) -> dict[str, Any]:
    """Looks at images, tags and masks of a config; every file is opened once.

    Args:
        config: The config.
        out: Folder for ``inspection.json`` and, of the first split, ``views.png``; None writes
            nothing.
        splits: Those to look at, of 'train', 'val' and 'test'; one that the config lacks, or whose
            data set is that of an earlier one, is left out.
        views: Number of images whose augmented views are drawn; 0 for none.
        losses: Lines of ``loss_plan``, for the short form.
        files: Whether images and masks are opened.

    Returns:
        What ``inspection.json`` has: ``splits``, ``overlap``, ``files``, ``masks``, ``short``,
        ``contact_sheet`` and ``doubtful_tags``, which is None until a checkpoint is looked at.

    Raises:
        ConfigError: If no split has a data set of tags.
        WSSSError: What the data sets raise.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    given = _given(config, splits)
    built = {name: _build(part) for name, part in given.items()}
    found = [read_split(name, dataset) for name, dataset in built.items()]
    result: dict[str, Any] = {
        'version': 1,
        'splits': {
            split.name: {**tag_statistics(split), 'unlisted': _unlisted(built[split.name], split)}
            for split in found
        },
        'overlap': split_overlap(found),
        'files': None,
        'masks': None,
        'contact_sheet': None,
        'doubtful_tags': None,
    }
    if files:
        check = check_files([path for one in found for path in one.paths], _loader(given))
        result['files'] = check.as_json()
        result['overlap'] = split_overlap(found, check.copies)
        result['masks'] = {split.name: mask_contradictions(split) for split in found}
    result['short'] = short_form(found, losses)
    if out is not None:
        if views:
            first = next(iter(given.values()))
            unreadable = {bad['file'] for bad in (result['files'] or {}).get('unreadable', ())}
            sheet = view_sheet(DATASETS.build(first), views, unreadable)
            if sheet is not None:
                _write_sheet(Path(out, SHEET_FILE), sheet)
                result['contact_sheet'] = SHEET_FILE
        write_json(Path(out, INSPECTION_FILE), result)
    return result


def _given(config: Config, splits: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for name in splits:
        if not (config.get(f'{name}_dataloader') or {}).get('dataset'):
            continue
        part = dataset_config(config, name)
        if part not in found.values():
            found[name] = part
    kinds = {name: DATASETS.get(type_name(part)) for name, part in found.items()}
    others = [name for name, kind in kinds.items() if not (kind and issubclass(kind, TagDataset))]
    if others or not found:
        raise ConfigError(
            f'expected data sets of tags, such as ImageTagDataset, in {list(splits)}, received '
            f'{others or "none"}; name another config, or others by --splits'
        )
    return found


def _build(part: Mapping[str, Any]) -> TagDataset:
    """The data set without its pipeline, which offers masks where there may be some."""
    plain = copy.deepcopy(dict(part))
    # Labels of an export are no truth that could contradict the tags.
    plain.pop('label_dir', None)
    plain.update(pipeline=[], load_masks=True)
    return DATASETS.build(plain)


def _unlisted(dataset: TagDataset, split: TaggedSplit) -> list[str]:
    """Images of the folder that no line of an ``unlisted='ignore'`` names."""
    if getattr(dataset, 'unlisted', '') != 'ignore' or getattr(dataset, 'list_file', None):
        return []
    known = set(split.images)
    return [
        name for name in find_images(Path(dataset.data_prefix['img_path'])) if name not in known
    ]


def _loader(given: Mapping[str, Mapping[str, Any]]) -> Callable[[dict], dict | None]:
    """The step by which the config loads images."""
    for part in given.values():
        for step in part['pipeline']:
            if type_name(step).startswith('Load') and 'Annotations' not in type_name(step):
                return TRANSFORMS.build(dict(step))
    return LoadImageOrRaise()


def _write_sheet(path: Path, sheet: np.ndarray) -> None:
    picture = Image.fromarray(sheet)
    with whole_file(path) as file:
        picture.save(file, format='PNG')
