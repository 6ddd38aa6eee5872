"""Data sets of images with image-level labels."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmseg.datasets import BaseSegDataset

from wsss_plugin.datasets.masks import require_class_ids, require_readable_mask
from wsss_plugin.datasets.seeded_index import SeededIndex, random_state
from wsss_plugin.datasets.text_files import read_json

BACKGROUND = 'background'


class TagDataset(BaseSegDataset):
    """Base of all data sets whose samples are labelled by tags.

    Every sample offers the pipeline ``img_path``, ``gt_tags`` (float32 multi-hot over the
    foreground classes), ``groups`` and ``sample_seed``. A mask's path is offered in test mode, or
    with ``load_masks``; otherwise no pipeline can open a mask. Under a :class:`SeededIndex` all
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
        groups_file (str | None): JSON of image names to lists of group names.
        mask_classes (Sequence[str] | None): Names of the masks' values from 1. When None the masks
            are numbered as the subclass's own classes if ``metainfo`` chooses among those, and
            otherwise as the classes of ``metainfo``.
        **kwargs: Arguments of mmseg's ``BaseSegDataset``.

    Raises:
        FileNotFoundError: A folder or file is missing.
        ValueError: The classes, tags or groups are not usable.
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
        **kwargs: Any,
    ) -> None:
        self._require_data_root(data_root)
        if metainfo and metainfo.get('classes') is not None:
            metainfo = {'palette': self._palette(metainfo['classes']), **metainfo}
        self.load_masks = load_masks
        self.require_tags = require_tags
        self.groups_file = groups_file
        self.mask_classes = mask_classes
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix={**self.PREFIX, **(data_prefix or {})},
            metainfo=metainfo,
            pipeline=list(pipeline),
            **kwargs,
        )

    @staticmethod
    def _require_data_root(data_root: str | None) -> None:
        if data_root is not None and not Path(data_root).is_dir():
            raise FileNotFoundError(
                f'data_root: expected a folder at {data_root}, found none; put the data set there '
                'or set data_root to where it is'
            )

    @classmethod
    def _palette(cls, classes: Sequence[str]) -> list[Sequence[int]]:
        own, palette = cls.METAINFO.get('classes', ()), cls.METAINFO.get('palette', ())
        colours = dict(zip(own, palette, strict=False))
        # For an empty list the base class draws colours.
        return [colours[name] for name in classes] if set(classes) <= set(colours) else []

    def mask_names(self, classes: Sequence[str]) -> Sequence[str]:
        """Returns what the values of the masks mean.

        Args:
            classes (Sequence[str]): The chosen classes, the background first.

        Returns:
            Sequence[str]: Names of the values from 0, the background.
        """
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
            unknown), ``source`` (file the tags are from) and, where one exists, ``seg_map_path``.
        """

    def full_init(self) -> None:
        """Reads files and tags, once.

        Raises:
            FileNotFoundError: A folder or file is missing.
            ValueError: No sample is left, or a tag is unknown or missing.
        """
        if self._fully_initialized:
            return
        self._check_classes()
        super().full_init()

    def _check_classes(self) -> None:
        classes = self._metainfo.get('classes')
        if not classes or len(classes) < 2 or classes[0] != BACKGROUND:
            raise ValueError(
                f"metainfo['classes']: expected '{BACKGROUND}' and then at least one class, "
                f'received {classes!r}'
            )
        if self.mask_classes is None:
            return
        if BACKGROUND in self.mask_classes or not set(classes[1:]) <= set(self.mask_classes):
            raise ValueError(
                f"mask_classes: expected the names of the masks' values from 1, without "
                f"'{BACKGROUND}' and with all other metainfo['classes'], received "
                f'{self.mask_classes!r} for the classes {classes!r}'
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
            FileNotFoundError: ``ann_file`` or the folder of the images is missing.
            ValueError: No sample is left, or a tag is unknown or missing.
        """
        self._require_file(self.ann_file, 'ann_file')
        folder = self.data_prefix['img_path']
        if folder and not Path(folder).is_dir():
            raise FileNotFoundError(
                f"data_prefix['img_path']: expected a folder at {folder}, found none; "
                'check data_root and data_prefix'
            )
        groups = self._load_groups()
        data_list = [self._to_data_info(sample, groups) for sample in self.load_samples()]
        if not data_list:
            raise ValueError(
                f'{self.ann_file}: expected at least one image, received none; check ann_file'
            )
        return data_list

    @staticmethod
    def _require_file(path: str, argument: str) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'{argument}: expected a file at {path!r}, found none; check data_root and '
                f'{argument}'
            )

    def _load_groups(self) -> dict[str, list[str]]:
        if self.groups_file is None:
            return {}
        path = Path(self.data_root or '', self.groups_file)
        self._require_file(str(path), 'groups_file')
        groups = read_json(path)
        if not isinstance(groups, dict):
            raise ValueError(
                f'{path}: expected an object of image names to lists of groups, received a '
                f'{type(groups).__name__}'
            )
        return groups

    def _to_data_info(self, sample: dict[str, Any], groups: dict[str, list[str]]) -> dict:
        info: dict[str, Any] = {
            'img_path': sample['img_path'],
            'label_map': self.label_map,
            'reduce_zero_label': self.reduce_zero_label,
            'seg_fields': [],
            'groups': tuple(groups.get(sample['name'], ())),
        }
        if sample['tags'] is not None:
            info['tags'] = self._to_numbers(sample)
        if (self.load_masks or self.test_mode) and sample.get('seg_map_path'):
            info['seg_map_path'] = sample['seg_map_path']
        return info

    def _to_numbers(self, sample: dict[str, Any]) -> list[int]:
        chosen = {name: number for number, name in enumerate(self.tag_classes)}
        known = self._known_tags()
        for tag in sample['tags']:
            if tag not in known:
                raise ValueError(
                    f'{sample["source"]}: expected tags among the classes '
                    f'{", ".join(sorted(known))}; received {tag!r} for image {sample["name"]}; '
                    "correct the tag or add it to metainfo['classes']"
                )
        # A class that the user left out of metainfo['classes'] is background here, not an error.
        numbers = sorted({chosen[tag] for tag in sample['tags'] if tag in chosen})
        if self.require_tags and not numbers:
            raise ValueError(
                f'{sample["source"]}: expected at least one tag for image {sample["name"]}, '
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
            ``groups`` and, in test mode or with ``load_masks``, ``seg_map_path``.
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
            FileNotFoundError: The mask is missing.
            RuntimeError: The mask is damaged.
            ValueError: The mask has several channels or more than 8 bits.
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
        # Not this class's own, which may draw a seed from the stream of the training.
        path = super().get_data_info(idx).get('seg_map_path')
        if path is not None:
            check(path)


def _has_mask(result: Any) -> bool:
    samples = result.get('data_samples', result) if isinstance(result, dict) else ()
    # Test-time augmentation makes several samples of an image.
    first = samples[0] if isinstance(samples, list) else samples
    return 'gt_sem_seg' in first or 'gt_seg_map' in first
