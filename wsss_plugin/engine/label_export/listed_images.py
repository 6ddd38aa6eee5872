"""The images of a config that are labelled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from wsss_plugin.datasets.class_checks import MOST_CLASSES
from wsss_plugin.datasets.text_files import read_lines
from wsss_plugin.engine.checkpoint_classes import check_classes
from wsss_plugin.engine.pipeline_steps import dataset_config, without_masks
from wsss_plugin.errors import ConfigError, DataError, MissingFileError, cut, listed


class ListedImages:
    """Images of a data set by name, read by the pipeline of the test, without their masks.

    Args:
        config: The config.
        split: 'train', 'val' or 'test', whose dataloader has the data set.
        list_file: Names of the images to take, one per line, with or without suffix; None for all.
        pipeline: Steps in place of those of the test.

    Attributes:
        names: Names with their sub-folders and without suffix, in the order of the data set.
        classes: Names of the classes, the background first.
        palette: Their colours.
        pipeline: The steps that read an image, of the config.

    Raises:
        ConfigError: If the config has no such data set, or it has too many classes for 8 bits.
        DataError: If two images have one name, or the list names others.
        MissingFileError: If there is no such list.
    """

    def __init__(
        self,
        config: Config,
        split: str = 'train',
        list_file: str | None = None,
        pipeline: Sequence[Any] | None = None,
    ) -> None:
        init_default_scope(config.get('default_scope') or 'mmseg')
        given = dict(dataset_config(config, split))
        self.pipeline = without_masks(pipeline or dataset_config(config, 'test')['pipeline'])
        # Nothing but the image is read: neither its mask nor a label of another export.
        for key in ('load_masks', 'label_dir'):
            given.pop(key, None)
        self._dataset = DATASETS.build({**given, 'pipeline': self.pipeline})
        self.classes = tuple(self._dataset.metainfo['classes'])
        self.palette = self._dataset.metainfo.get('palette') or []
        if len(self.classes) - 1 > MOST_CLASSES:
            raise ConfigError(
                f'{split}_dataloader.dataset: expected at most {MOST_CLASSES} classes beside the '
                f'background, received {len(self.classes) - 1}; label maps have 8 bits, and their '
                'value 255 is ignored: choose fewer classes'
            )
        self._indices = self._named()
        if list_file is not None:
            self._indices = self._chosen(list_file)
        self.names = tuple(self._indices)

    def __len__(self) -> int:
        return len(self.names)

    def require_classes_of(self, source: Any) -> None:
        """Checks that the labels mean the classes of the data set.

        Args:
            source: What labels an image, such as ``CAMLabels``.

        Raises:
            ConfigError: If it has another number of classes.
            ValueError: If the checkpoint was trained for others, or in another order.
        """
        if source.num_classes != len(self.classes):
            raise ConfigError(
                f'expected a segmentor of the {len(self.classes)} classes of the data set, '
                f'received one of {source.num_classes}; set metainfo.classes as in its training'
            )
        meta = {'dataset_meta': source.model.dataset_meta}
        check_classes({'meta': meta}, {'classes': self.classes}, 'the images to label')

    @property
    def label_map(self) -> dict[int, int] | None:
        """Class by value of the masks of the data set, None where they are the same."""
        return self._dataset.label_map

    def item(self, name: str) -> dict[str, Any]:
        """Reads an image.

        Args:
            name: Its name.

        Returns:
            ``inputs`` and ``data_samples``.
        """
        return self._dataset[self._indices[name]]

    def path(self, name: str) -> str:
        """The file of an image.

        Args:
            name: Its name.

        Returns:
            The path.
        """
        return self._dataset.get_data_info(self._indices[name])['img_path']

    def tags(self, name: str) -> np.ndarray | None:
        """The tags of an image; it is not opened.

        Args:
            name: Its name.

        Returns:
            Tags (K,) of the foreground classes, 0 or 1; None where they are unknown.
        """
        info = self._dataset.image_info(self._indices[name])
        if 'tags' not in info:
            return None
        tags = np.zeros(len(self.classes) - 1, dtype=np.int64)
        tags[list(info['tags'])] = 1
        return tags

    def name(self, path: str) -> str:
        """The name of an image.

        Args:
            path: Its file.

        Returns:
            Its name.
        """
        folder = self._dataset.data_prefix.get('img_path') or '.'
        return Path(os.path.relpath(path, folder)).with_suffix('').as_posix()

    def _named(self) -> dict[str, int]:
        folder = self._dataset.data_prefix.get('img_path') or '.'
        indices: dict[str, int] = {}
        for index in range(len(self._dataset)):
            path = self._dataset.get_data_info(index)['img_path']
            name = self.name(path)
            if name.startswith('../') or name in indices:
                raise DataError(
                    f'{cut(path)}: expected images in {folder} whose names differ beyond their '
                    'suffix, since labels are named by them, received another; rename or move it'
                )
            indices[name] = index
        return indices

    def _chosen(self, list_file: str) -> dict[str, int]:
        if not Path(list_file).is_file():
            raise MissingFileError(
                f'expected a list of names for --list, received {list_file}, which does not exist'
            )
        chosen, unknown = {}, []
        for line in read_lines(list_file):
            name = line if line in self._indices else Path(line).with_suffix('').as_posix()
            if name in self._indices:
                chosen[name] = self._indices[name]
            else:
                unknown.append(line)
        if unknown or not chosen:
            raise DataError(
                f'{list_file}: expected names of images of the data set, such as '
                f'{cut(next(iter(self._indices), "none"))}, received {len(unknown)} others among '
                f'{len(chosen) + len(unknown)}: {listed(unknown, 3) or "none"}; correct the list, '
                'or choose another --split'
            )
        return chosen
