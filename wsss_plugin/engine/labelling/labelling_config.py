"""The files that a labelling leaves for its user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wsss_plugin
from wsss_plugin.engine.labelling.preset import Preset
from wsss_plugin.engine.labelling.pretrained_files import PretrainedFiles
from wsss_plugin.engine.labelling.tagged_folder import TaggedFolder

CONFIG_FILE = 'config.py'
STAGES_FILE = 'stages.py'
TRAIN_LIST, HELD_OUT_LIST = 'train.txt', 'held_out.txt'
_TEMPLATE = 'own_data.py'
# Share of the pixels of an image that its tags get where nothing of them is found.
LEAST = 0.02


def config_text(
    folder: TaggedFolder,
    preset: Preset,
    weights: PretrainedFiles,
    processes: int,
    max_iters: int,
    lists: Path | None,
    masks: str | Path | None = None,
) -> str:
    """A config of what is trained, which its user may edit.

    Args:
        folder: Images and tags.
        preset: What is trained.
        weights: Pretrained weights.
        processes: Processes among which a batch is shared.
        max_iters: Iterations.
        lists: Folder of the lists of images that are trained on and held out, None without.
        masks: Folder of masks to score by, None without.

    Returns:
        Python.
    """
    template = Path(wsss_plugin.__file__).parent / '.mim' / 'configs' / _TEMPLATE
    values: dict[str, Any] = {
        '_base_': str(template.resolve()),
        'data_root': str(folder.root),
        'images': os.path.relpath(folder.images, folder.root),
        'tags': os.path.relpath(folder.tags, folder.root),
        'classes': folder.classes,
        'unlisted': folder.unlisted,
        'train_list': str(lists / TRAIN_LIST) if lists else _path(folder.list_file),
        'val_list': str(lists / HELD_OUT_LIST) if lists else None,
        'backbone': preset.backbone,
        'image_size': preset.image_size,
        'max_iters': max_iters,
        'batch_size': preset.batch // processes,
    }
    if masks is not None:
        values['masks'] = str(Path(masks).absolute())
    if preset.backbone != 'scratch':
        values['vit_weights'] = _path(weights.vit) or True
        values['cnn_weights'] = _path(weights.cnn) or True
    head = [
        '# Written by tools/label_images.py. Edit it, and train it by tools/train.py, or give the',
        '# same command again, which trains what has changed and writes the masks anew.',
    ]
    lines = [f'{name} = {value!r}' for name, value in values.items()]
    if preset.backbone == 'scratch':
        # Such small images are read faster than sent from process to process.
        lines.append('train_dataloader = dict(num_workers=0, persistent_workers=False)')
    return '\n'.join([*head, *lines, ''])


def stages_text(
    folder: TaggedFolder, tags: bool = True, augmented: bool = True, crf: bool = True
) -> str:
    """The stages of a labelling, for ``tools/run_stages.py``.

    Args:
        folder: Images and tags.
        tags: Whether masks are restricted to the tags of their images.
        augmented: Whether masks are of several scales and mirror images.
        crf: Whether a dense CRF refines them.

    Returns:
        Python.
    """
    options: Mapping[str, Any] = {
        'segmentation': True,
        'no_tags': not tags,
        'least': LEAST if tags else None,
        'tta': augmented,
        'refine': 'crf' if crf else None,
        'crf_workers': 1,
    }
    given = ', '.join(f'{name}={value!r}' for name, value in options.items() if value)
    every = {'train_dataloader.dataset.list_file': _path(folder.list_file)}
    return (
        '# Written by tools/label_images.py, which runs it as tools/run_stages.py does.\n'
        'stages = dict(\n'
        # Few of the images that are held out may have masks.
        f"    train=dict(train='{CONFIG_FILE}', options=dict(no_validation=True)),\n"
        '    masks=dict(\n'
        "        export='train',\n"
        f'        options=dict({given}),\n'
        f'        cfg_options={every!r},  # of all images, also of those that are held out\n'
        '    ),\n'
        ')\n'
    )


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)
