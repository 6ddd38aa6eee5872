"""Data sets of images with image-level labels."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from mmseg.datasets import BaseSegDataset

from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.datasets.file_names import LinkGuard
from wsss_plugin.datasets.groups import Groups
from wsss_plugin.datasets.label_folders import LabelFolders
from wsss_plugin.datasets.label_manifest import CORRECTED_MASKS
from wsss_plugin.datasets.mask_check import MASKS_OPENED, TaggedMask, check_masks
from wsss_plugin.datasets.mask_loading import open_whole_masks, require_no_shift
from wsss_plugin.datasets.masks import require_class_ids, require_readable_mask
from wsss_plugin.datasets.seeded_index import SeededIndex, random_state
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.distinct_palette import distinct_palette
from wsss_plugin.errors import ConfigError, DataError, MissingFileError, cut, listed, received

# Of the 256 values of an 8-bit map one is the background and one is ignored.
MOST_CLASSES = 254


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
            self._require_no_truth(load_masks, kwargs.get('test_mode', False))
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

    @staticmethod
    def _require_no_truth(load_masks: bool, test_mode: bool) -> None:
        if load_masks or test_mode:
            given = 'load_masks' if load_masks else 'test_mode'
            raise ConfigError(
                'label_dir: expected pseudo labels of a training set without true masks, received '
                f'it beside {given}=True; nothing is scored against pseudo labels: leave out one '
                'of the two'
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
        self._check_classes()
        super().full_init()
        if self._offers_masks and self._opens_masks:
            self._check_some_masks()

    @property
    def _offers_masks(self) -> bool:
        return bool(self.load_masks or self.test_mode or self._labels is not None)

    def _check_some_masks(self) -> None:
        classes = self._metainfo['classes']
        names = self.mask_names(classes)
        self._require_eight_bits(f'{self.ann_file}: masks', names[1:])
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

    def _check_classes(self) -> None:
        classes = self._metainfo.get('classes')
        if not classes or len(classes) < 2 or classes[0] != BACKGROUND:
            raise ConfigError(
                f"metainfo['classes']: expected '{BACKGROUND}' and then at least one class, "
                f'received {received(classes)}'
            )
        repeated = [name for name, times in Counter(classes).items() if times > 1]
        if repeated:
            raise ConfigError(
                f"metainfo['classes']: expected every class once, received {listed(repeated)} more "
                'than once; remove or rename one'
            )
        if self._offers_masks and self._opens_masks:
            self._require_eight_bits("metainfo['classes']", classes[1:])
        if self.mask_classes is None:
            return
        self._require_eight_bits('mask_classes', self.mask_classes)
        if BACKGROUND in self.mask_classes or not set(classes[1:]) <= set(self.mask_classes):
            raise ConfigError(
                f"mask_classes: expected the names of the masks' values from 1, without "
                f"'{BACKGROUND}' and with all other metainfo['classes'], received "
                f'{received(self.mask_classes)} for the classes {received(classes)}'
            )

    @staticmethod
    def _require_eight_bits(argument: str, names: Sequence[str]) -> None:
        if len(names) > MOST_CLASSES:
            raise ConfigError(
                f'{argument}: expected at most {MOST_CLASSES} classes beside the background, '
                f'received {len(names)}; label maps have 8 bits, and their value 255 is ignored: '
                'choose fewer classes, or train several models'
            )

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
            samples = self._with_labels(samples, self._labels)
        self._require_different_files(samples)
        if not self.allow_outside:
            self._require_files_inside(samples)
        groups = self._load_groups(samples)
        return [self._to_data_info(*pair) for pair in zip(samples, groups, strict=True)]

    def _with_labels(
        self, samples: Sequence[dict[str, Any]], labels: LabelFolders
    ) -> list[dict[str, Any]]:
        labels.require_classes(self._metainfo['classes'])
        sources = labels.of([sample['name'] for sample in samples], self.ann_file)
        return [
            {
                **sample,
                'seg_map_path': str(folder.path(sample['name'])),
                'labels': {
                    'label_dir': str(folder.folder),
                    'label_weight': weight,
                    'label_map': self._label_map(folder.ignore),
                },
            }
            for sample, (folder, weight) in zip(samples, sources, strict=True)
        ]

    def _label_map(self, ignore: int) -> dict[int, int] | None:
        return self.label_map if ignore == self.ignore_index else {ignore: self.ignore_index}

    def _require_different_files(self, samples: Sequence[dict[str, Any]]) -> None:
        keys = {'img_path': 'image', 'seg_map_path': 'mask'}
        for key in keys if self._offers_masks else ('img_path',):
            first: dict[str, dict[str, Any]] = {}
            for sample in samples:
                path = sample.get(key)
                if path is None:
                    continue
                if path in first:
                    raise DataError(
                        f'{self.ann_file}: expected one entry for every {keys[key]}, received '
                        f'{cut(path)} for {_entry(first[path])} and {_entry(sample)}; remove or '
                        'rename one of them'
                    )
                first[path] = sample

    def _require_files_inside(self, samples: Sequence[dict[str, Any]]) -> None:
        # Without a folder the names are relative to where the tool was started.
        folders = [folder or '.' for folder in self.data_prefix.values()]
        folders += [str(labels.folder) for labels in self._labels or ()]
        guard = LinkGuard(dict.fromkeys([self.data_root or folders[0], *folders]))
        keys = ('img_path', 'seg_map_path') if self._offers_masks else ('img_path',)
        for sample in samples:
            where = f'{self.ann_file}: {_entry(sample)}'
            for path in (*(sample.get(key) for key in keys), sample['source']):
                if path and path != self.ann_file:
                    guard.check(path, where)

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
            info['tags'] = self._to_numbers(sample)
        if self._offers_masks and sample.get('seg_map_path'):
            info['seg_map_path'] = sample['seg_map_path']
        return {**info, **sample.get('labels', {})}

    def _to_numbers(self, sample: dict[str, Any]) -> list[int]:
        chosen = {name: number for number, name in enumerate(self.tag_classes)}
        known = self._known_tags()
        for tag in sample['tags']:
            if tag not in known:
                raise DataError(
                    f'{sample["source"]}: expected tags among the classes '
                    f'{listed(sorted(known))}; received {received(tag)} for image '
                    f'{cut(sample["name"])}; '
                    "correct the tag or add it to metainfo['classes']"
                )
        # A class that the user left out of metainfo['classes'] is background here, not an error.
        numbers = sorted({chosen[tag] for tag in sample['tags'] if tag in chosen})
        if self.require_tags and not numbers:
            raise DataError(
                f'{sample["source"]}: expected at least one tag for image '
                f'{cut(sample["name"])}, '
                'received none; add a tag, remove the image from the list, or set '
                'require_tags=False if it shows background only'
            )
        return numbers

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
        if _has_mask(result):
            self._check_mask(idx, require_class_ids)
        return result

    def _check_mask(self, idx: int, check: Callable[[str], None]) -> None:
        path = self.image_info(idx).get('seg_map_path')
        if path is not None:
            check(path)


def _entry(sample: dict[str, Any]) -> str:
    return cut(sample.get('entry', f'image {sample["name"]}'))


def _has_mask(result: Any) -> bool:
    samples = result.get('data_samples', result) if isinstance(result, dict) else ()
    # Test-time augmentation makes several samples of an image.
    first = samples[0] if isinstance(samples, list) else samples
    return 'gt_sem_seg' in first or 'gt_seg_map' in first
