"""A config for images and tags that have none."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from wsss_plugin.errors import MissingFileError

_CROP = 448


def image_config(images: str, tags: str) -> Config:
    """The data part of a config, with the published augmentation.

    Args:
        images: Folder of the images.
        tags: File of tags, CSV or JSON, as of ``ImageTagDataset``.

    Returns:
        A config with ``train_dataloader`` alone. Images that the file does not name are left out.

    Raises:
        MissingFileError: If the folder or the file is missing.
    """
    for path, kind in ((Path(images), 'folder of images'), (Path(tags), 'file of tags')):
        if not (path.is_dir() if path == Path(images) else path.is_file()):
            raise MissingFileError(f'expected a {kind} at {path}, found none; correct the path')
    pipeline = [
        {'type': 'LoadImageOrRaise'},
        {'type': 'RandomScaleCropWithBox', 'crop_size': _CROP},
        {'type': 'MultiCropViews'},
        {'type': 'PackWSSSInputs'},
    ]
    dataset = {
        'type': 'ImageTagDataset',
        'data_prefix': {'img_path': str(Path(images).resolve())},
        'ann_file': str(Path(tags).resolve()),
        'unlisted': 'ignore',
        'allow_outside': True,
        'pipeline': pipeline,
    }
    return Config({'train_dataloader': {'dataset': dataset}})
