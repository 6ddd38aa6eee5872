"""Data sets of images with image-level labels."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmseg.datasets import BaseSegDataset

from wsss_plugin.datasets.class_checks import require_classes, require_eight_bits
from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.datasets.file_names import LinkGuard
from wsss_plugin.datasets.groups import Groups
from wsss_plugin.datasets.label_folders import LabelFolders, require_no_truth
from wsss_plugin.datasets.label_manifest import CORRECTED_MASKS
from wsss_plugin.datasets.mask_check import MASKS_OPENED, TaggedMask, check_masks
from wsss_plugin.datasets.mask_loading import has_mask, open_whole_masks, require_no_shift
from wsss_plugin.datasets.masks import require_class_ids, require_readable_mask
from wsss_plugin.datasets.sample_files import require_different_files, require_files_inside
from wsss_plugin.datasets.sample_tags import tag_numbers
from wsss_plugin.datasets.seeded_index import SeededIndex, random_state
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.distinct_palette import distinct_palette
from wsss_plugin.errors import DataError, MissingFileError, cut


class TagDataset(BaseSegDataset):
    """Base of all data sets whose samples are labelled by tags.

    Every sample offers the pipeline ``img_path``, ``gt_tags`` (float32 multi-hot over the
    foreground classes), ``groups`` and ``sample_seed``. A mask's path is offered in test mode, or
    with ``load_masks``; otherwise no pipeline can open a mask. Pseudo labels of ``label_dir`` are
    offered in the same way, and are marked as such. Under a :class:`SeededIndex` all
    random choices of the pipeline follow from its seed. Subclasses implement
    :meth:`load_samples`.

    Args:
        ann_file (str): Names or labels of the images, relative to ``data_root``.
        data_root (str | None): Folder of the data set.
        data_prefix (Mapping[str, str] | None): Folders relative to ``data_root``: ``img_path``,
            ``seg_map_path`` and those of the subclass; the subclass's layout where not given.
        metainfo (Mapping | None): ``classes``, with ``'background'`` first, and ``palette``.
        pipeline (Sequence): Transforms.
        load_masks (bool): Whether training samples have ``seg_map_path``.
        require_tags (bool): Whether an image without any tag is an error; otherwise it is an
            image of background only.
        groups_file (str | None): JSON of image names, with or without suffix, to lists of group
            names.
        mask_classes (Sequence[str] | None): Names of the masks' values from 1. When None the masks
            are numbered as the subclass's own classes if ``metainfo`` chooses among those, and
            otherwise as the classes of ``metainfo``.
        allow_outside (bool): Whether images, annotations and masks may be links to files outside
            of ``data_root``.
        label_dir (str | Mapping | Sequence | None): Folder of labels that
            ``tools/export_labels.py`` or ``tools/import_labels.py`` wrote, as its ``--out``, or
            several, of which the first that has an image labels it; see :class:`LabelFolders`.
            Training samples have them in place of masks, their folder as ``label_dir``, by which
            nothing takes them for true masks, and its weight as ``label_weight``.
        **kwargs: Arguments of mmseg's ``BaseSegDataset``.

    Raises:
        MissingFileError: A folder or file is missing, among them the manifest of ``label_dir``.
        ConfigError: The classes, ``reduce_zero_label`` or ``label_dir`` are not usable, or the
            last is given beside true masks.
        DataError: A file contradicts itself or what is beside it, a mask what it is to mean, or
            ``label_dir`` has other classes or lacks images.
    """

    PREFIX: Mapping[str, str] = {'img_path': '', 'seg_map_path': ''}

    def __init__(
        self,
        ann_file: str = '',
        data_root: str | None = None,
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        pipeline: Sequence[dict | Callable] = (),
        load_masks: bool = False,
        require_tags: bool = False,
        groups_file: str | None = None,
        mask_classes: Sequence[str] | None = None,
        allow_outside: bool = False,
        label_dir: str | Mapping[str, Any] | Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._require_data_root(data_root)
        require_no_shift(kwargs.get('reduce_zero_label'), 'the data set')
        if metainfo and metainfo.get('classes') is not None:
            metainfo = {'palette': self._palette(metainfo['classes']), **metainfo}
        self.load_masks = load_masks
        self.require_tags = require_tags
        self.groups_file = groups_file
        self.mask_classes = mask_classes
        self.allow_outside = allow_outside
        self.label_dir = label_dir
        if label_dir is not None:
            require_no_truth(load_masks, kwargs.get('test_mode', False))
        self._labels = None if label_dir is None else LabelFolders(label_dir)
        steps = Compose(list(pipeline)).transforms
        self._opens_masks = open_whole_masks(steps)
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix={**self.PREFIX, **(data_prefix or {})},
            metainfo=metainfo,
            pipeline=steps,
            **kwargs,
        )

    @staticmethod
    def _require_data_root(data_root: str | None) -> None:
        if data_root is not None and not Path(data_root).is_dir():
            raise MissingFileError(
                f'data_root: expected a folder at {cut(data_root)}, found none; put the data '
                'set there or set data_root to where it is'
            )

    @classmethod
    def _palette(cls, classes: Sequence[str]) -> list[Sequence[int]]:
        own, palette = cls.METAINFO.get('classes', ()), cls.METAINFO.get('palette', ())
        colours = dict(zip(own, palette, strict=False))
        if set(classes) <= set(colours):
            return [colours[name] for name in classes]
        # The base class would draw colours at random, some of them alike.
        return [[0, 0, 0], *distinct_palette(len(classes) - 1)]

    def mask_names(self, classes: Sequence[str]) -> Sequence[str]:
        """Returns what the values of the masks mean.

        Args:
            classes (Sequence[str]): The chosen classes, the background first.

        Returns:
            Sequence[str]: Names of the values from 0, the background.
        """
        if self._labels is not None:
            return classes
        if self.mask_classes is not None:
            return (BACKGROUND, *self.mask_classes)
        return self._usual_mask_names(classes)

    def _usual_mask_names(self, classes: Sequence[str]) -> Sequence[str]:
        own = self.METAINFO.get('classes', ())
        return own if set(classes) <= set(own) else classes

    def get_label_map(self, new_classes: Sequence[str] | None = None) -> dict[int, int] | None:
        """Returns how the values of the masks change for the chosen classes.

        Args:
            new_classes (Sequence[str] | None): ``metainfo['classes']``.

        Returns:
            dict[int, int] | None: Class by value of the mask, ``ignore_index`` for what is not
            chosen; None where nothing changes.
        """
        if new_classes is None:
            return None
        numbers = {name: number for number, name in enumerate(new_classes)}
        names = self.mask_names(new_classes)
        if list(names) == list(new_classes):
            return None
        ignored: int = self.ignore_index
        return {value: numbers.get(name, ignored) for value, name in enumerate(names)}

    @abstractmethod
    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the samples.

        Returns:
            list[dict]: Per image ``name``, ``img_path``, ``tags`` (class names, or None where
            unknown), ``source`` (file the tags are from) and, where they exist, ``seg_map_path``
            and ``entry`` (where ``ann_file`` names the image).
        """

    def full_init(self) -> None:
        """Reads files and tags, once.

        Raises:
            MissingFileError: A folder or file is missing.
            ConfigError: The classes are not usable.
            DataError: No sample is left, a tag is unknown or missing, an image is named twice or
                lies outside, or a mask does not fit.
        """
        if self._fully_initialized:
            return
        looks_at_masks = self._offers_masks and self._opens_masks
        require_classes(self._metainfo.get('classes'), self.mask_classes, looks_at_masks)
        super().full_init()
        if looks_at_masks:
            self._check_some_masks()

    @property
    def _offers_masks(self) -> bool:
        return bool(self.load_masks or self.test_mode or self._labels is not None)

    def _check_some_masks(self) -> None:
        classes = self._metainfo['classes']
        names = self.mask_names(classes)
        require_eight_bits(f'{self.ann_file}: masks', names[1:])
        if self._labels is None:
            masks = self._tagged_masks(range(len(self)))
            check_masks(masks, names, classes, self.ann_file, self.ignore_index)
            return
        # Of few corrected masks among many labels none might be opened.
        folders = [self.image_info(index)['label_dir'] for index in range(len(self))]
        for labels in self._labels:
            own = [n for n, folder in enumerate(folders) if folder == str(labels.folder)]
            # A pseudo label may miss a class that the image shows: nobody is to be warned of it.
            masks = self._tagged_masks(own, labels.kind == CORRECTED_MASKS)
            check_masks(masks, names, classes, str(labels.folder), labels.ignore)

    def _tagged_masks(self, indices: Sequence[int], complete: bool = True) -> list[TaggedMask]:
        chosen = spread_indices(len(indices), MASKS_OPENED) if indices else []
        infos = (self.image_info(indices[index]) for index in chosen)
        return [
            TaggedMask(
                info['seg_map_path'],
                [self.tag_classes[number] for number in info['tags']]
                if complete and 'tags' in info
                else None,
            )
            for info in infos
            if info.get('seg_map_path') and '://' not in info['seg_map_path']
        ]

    def image_info(self, index: int) -> dict[str, Any]:
        """Returns what is known of an image, without moving the random stream of a training.

        Args:
            index (int): Index of the image.

        Returns:
            dict: ``img_path``, ``groups`` and, where known, ``tags`` (class numbers from 0) and
            ``seg_map_path``.
        """
        # Not this class's own get_data_info, which may draw a seed.
        return super().get_data_info(index)

    @property
    def tag_classes(self) -> tuple[str, ...]:
        """tuple[str, ...]: The foreground classes, in the order of ``gt_tags``."""
        return tuple(self._metainfo['classes'][1:])

    def load_data_list(self) -> list[dict]:
        """Returns the samples as the base class stores them.

        Returns:
            list[dict]: One entry per image, tags as class numbers from 0.

        Raises:
            MissingFileError: ``ann_file`` or the folder of the images is missing.
            DataError: No sample is left, a tag is unknown or missing, or an image is named twice
                or lies outside.
        """
        self._require_file(self.ann_file, 'ann_file')
        folder = self.data_prefix['img_path']
        if folder and not Path(folder).is_dir():
            raise MissingFileError(
                f"data_prefix['img_path']: expected a folder at {folder}, found none; "
                'check data_root and data_prefix'
            )
        samples = self.load_samples()
        if not samples:
            raise DataError(
                f'{self.ann_file}: expected at least one image, received none; check ann_file'
            )
        if self._labels is not None:
            self._labels.require_classes(self._metainfo['classes'])
            samples = self._labels.labelled(
                samples, self.ann_file, self.label_map, self.ignore_index
            )
        keys = ('img_path', 'seg_map_path') if self._offers_masks else ('img_path',)
        require_different_files(samples, keys, self.ann_file)
        if not self.allow_outside:
            require_files_inside(samples, keys, self.ann_file, LinkGuard(self._folders()))
        groups = self._load_groups(samples)
        return [self._to_data_info(*pair) for pair in zip(samples, groups, strict=True)]

    def _folders(self) -> list[str]:
        # Without a folder the names are relative to where the tool was started.
        folders = [folder or '.' for folder in self.data_prefix.values()]
        folders += [str(labels.folder) for labels in self._labels or ()]
        return list(dict.fromkeys([self.data_root or folders[0], *folders]))

    @staticmethod
    def _require_file(path: str, argument: str) -> None:
        if not Path(path).is_file():
            raise MissingFileError(
                f'{argument}: expected a file at {path!r}, found none; check data_root and '
                f'{argument}'
            )

    def _load_groups(self, samples: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
        if self.groups_file is None:
            return [()] * len(samples)
        path = Path(self.data_root or '', self.groups_file)
        self._require_file(str(path), 'groups_file')
        return Groups(path, Path(self.data_prefix['img_path'])).of(samples)

    def _to_data_info(self, sample: dict[str, Any], groups: tuple[str, ...]) -> dict:
        info: dict[str, Any] = {
            'img_path': sample['img_path'],
            'label_map': self.label_map,
            'reduce_zero_label': self.reduce_zero_label,
            'seg_fields': [],
            'groups': groups,
        }
        if sample['tags'] is not None:
            info['tags'] = tag_numbers(
                sample, self.tag_classes, self._known_tags(), self.require_tags
            )
        if self._offers_masks and sample.get('seg_map_path'):
            info['seg_map_path'] = sample['seg_map_path']
        return {**info, **sample.get('labels', {})}

    def _known_tags(self) -> set[str]:
        classes = self._metainfo['classes']
        known = set(self.tag_classes)
        for names in (self.METAINFO.get('classes', ()), self.mask_names(classes)):
            if set(classes) <= set(names):
                known.update(names[1:])
        return known

    def get_cat_ids(self, idx: int) -> list[int]:
        """Returns the numbers (from 0) of the foreground classes of an image.

        Args:
            idx (int): Index of the image.

        Returns:
            list[int]: Class numbers, empty for background only.
        """
        return self.get_data_info(idx).get('tags', [])

    def get_data_info(self, idx: int) -> dict:
        """Returns what the pipeline gets.

        Args:
            idx (int): Index of the image, perhaps a :class:`SeededIndex`.

        Returns:
            dict: ``img_path``, ``gt_tags`` (float32 (K,), absent where unknown), ``sample_seed``,
            ``groups``, in test mode or with ``load_masks`` or ``label_dir`` ``seg_map_path``, and
            with the last ``label_dir`` and ``label_weight``.
        """
        info = super().get_data_info(idx)
        if 'tags' in info:
            info['gt_tags'] = np.zeros(len(self.tag_classes), np.float32)
            info['gt_tags'][info['tags']] = 1
        info['sample_seed'] = self._sample_seed(idx)
        return info

    def _sample_seed(self, idx: int) -> int:
        if isinstance(idx, SeededIndex):
            return idx.seed
        # Testing draws nothing, so that it cannot disturb the random stream of training.
        return int(idx) if self.test_mode else int(torch.randint(2**31, ()))

    def prepare_data(self, idx: int) -> Any:
        """Runs the pipeline, under the index's own seed if it has one.

        Args:
            idx (int): Index of the image, perhaps a :class:`SeededIndex`.

        Returns:
            Any: Result of the pipeline.

        Raises:
            MissingFileError: The mask is missing.
            DamagedFileError: The mask is damaged.
            DataError: The mask has several channels or more than 8 bits, or changes on saving.
        """
        state = random_state(idx.seed) if isinstance(idx, SeededIndex) else contextlib.nullcontext()
        # The toolbox's transform, which its inference knows by name, names no file, and it loads
        # masks that hold no class ids.
        try:
            with state:
                result = super().prepare_data(idx)
        except Exception:
            self._check_mask(idx, require_readable_mask)
            raise
        if has_mask(result):
            self._check_mask(idx, require_class_ids)
        return result

    def _check_mask(self, idx: int, check: Callable[[str], None]) -> None:
        path = self.image_info(idx).get('seg_map_path')
        if path is not None:
            check(path)
