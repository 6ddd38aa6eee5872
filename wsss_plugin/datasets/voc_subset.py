"""Some classes and images of VOC 2012, at a smaller size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.utils import track_iter_progress
from mmseg.datasets import PascalVOCDataset
from PIL import Image

from wsss_plugin.datasets.masks import require_class_ids
from wsss_plugin.errors import ConfigError, DataError, MissingFileError

_FOLDERS = ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation')
_MASK_FOLDERS = ('SegmentationClass', 'SegmentationClassAug')
_IGNORE = 255


class VOCSubset:
    """Shrinks and relabels images of VOC with their masks.

    Tags are the labels that occur in the shrunk masks, so the folder suits
    :class:`ImageTagDataset`.

    Args:
        voc_root (Path): Folder VOC2012 with JPEGImages, SegmentationClass and, for the images that
            SBD adds, SegmentationClassAug.
        classes (Sequence[str]): Names of VOC classes, which get the labels from 1; all others
            become background.
        long_side (int): Largest height and width in pixels; nothing is enlarged.
        quality (int): Quality of the JPEG images, from 1 to 95.

    Raises:
        ConfigError: A class is unknown or repeated, or a number is out of range.
    """

    def __init__(
        self, voc_root: Path, classes: Sequence[str], long_side: int = 320, quality: int = 85
    ) -> None:
        if long_side < 1 or not 1 <= quality <= 95:
            raise ConfigError(
                'expected a long side of at least 1 and a quality from 1 to 95, received '
                f'{long_side} and {quality}'
            )
        self.voc_root = voc_root
        self.classes = tuple(classes)
        self.long_side = long_side
        self.quality = quality
        self._table = label_table(classes)

    def write(self, out: Path, splits: Mapping[str, Sequence[str]]) -> None:
        """Writes the subset in VOC's layout, with tags.json.

        Args:
            out (Path): Folder of the subset.
            splits (Mapping[str, Sequence[str]]): Names of the images by split.

        Raises:
            MissingFileError: An image or mask is missing.
            DataError: A mask is in colour or in a format that changes values.
            ConfigError: ``out`` is where the images are from.
        """
        self._require_other_folder(out)
        for folder in _FOLDERS:
            (out / folder).mkdir(parents=True, exist_ok=True)
        # That of an earlier run would make a data set of what an interrupted one leaves.
        (out / 'tags.json').unlink(missing_ok=True)
        names = sorted({name for split in splits.values() for name in split})
        labels = {name: self._cut(name, out) for name in track_iter_progress(names)}
        for split, chosen in splits.items():
            path = out / 'ImageSets' / 'Segmentation' / f'{split}.txt'
            path.write_text('\n'.join(chosen) + '\n')
        # Last, so that an interrupted run leaves a folder that no data set accepts.
        content = {'classes': ['background', *self.classes], 'labels': labels}
        (out / 'tags.json').write_text(json.dumps(content))

    def _require_other_folder(self, out: Path) -> None:
        for folder in _FOLDERS:
            if (out / folder).resolve() == (self.voc_root / folder).resolve():
                raise ConfigError(
                    f'expected a folder of its own for the subset, received {out}, whose {folder} '
                    f'is that of {self.voc_root} and would be overwritten; name another folder'
                )

    def _cut(self, name: str, out: Path) -> list[int]:
        """Writes image and mask; returns the labels in the mask."""
        source = self.voc_root / 'JPEGImages' / f'{name}.jpg'
        if not source.is_file():
            raise MissingFileError(
                f'expected the image {source}, found none; name the folder VOC2012, with JPEGImages'
            )
        mask = self._small_mask(name)
        with Image.open(source) as picture:
            small = self._shrink(picture.convert('RGB'), Image.Resampling.LANCZOS)
        small.save(out / 'JPEGImages' / f'{name}.jpg', quality=self.quality)
        picture = Image.fromarray(mask)
        picture.putpalette(_palette(self.classes))
        picture.save(out / 'SegmentationClass' / f'{name}.png')
        return [label for label in np.unique(mask).tolist() if label not in (0, _IGNORE)]

    def _small_mask(self, name: str) -> np.ndarray:
        path = self._mask_file(name)
        with Image.open(path) as picture:
            if picture.mode not in ('P', 'L'):
                raise DataError(
                    f'{path}: expected labels or palette indices, received an image of mode '
                    f"{picture.mode}; use VOC's own masks, not coloured copies"
                )
            require_class_ids(str(path))
            return self._table[np.asarray(self._shrink(picture, Image.Resampling.NEAREST))]

    def _mask_file(self, name: str) -> Path:
        """VOC's own mask before SBD's."""
        for folder in _MASK_FOLDERS:
            path = self.voc_root / folder / f'{name}.png'
            if path.is_file():
                return path
        raise MissingFileError(
            f'expected the mask {name}.png in {" or ".join(_MASK_FOLDERS)} of {self.voc_root}, '
            'found none; the images of train_aug need the masks of SBD in SegmentationClassAug'
        )

    def _shrink(self, picture: Image.Image, resampling: Image.Resampling) -> Image.Image:
        scale = min(1.0, self.long_side / max(picture.size))
        width, height = (max(1, round(scale * side)) for side in picture.size)
        return picture.resize((width, height), resampling)


def label_table(classes: Sequence[str]) -> np.ndarray:
    """New label of every label of VOC.

    Args:
        classes (Sequence[str]): Names of VOC classes, which get the labels from 1.

    Returns:
        np.ndarray: uint8 of 256 labels; other classes become 0, 255 stays.

    Raises:
        ConfigError: A name is unknown or repeated.

    Example:
        >>> label_table(['cat', 'aeroplane'])[[0, 1, 2, 8, 255]].tolist()
        [0, 2, 0, 1, 255]
    """
    known = PascalVOCDataset.METAINFO['classes'][1:]
    if len(set(classes)) != len(classes) or not set(classes) <= set(known):
        raise ConfigError(
            f'expected different classes among {", ".join(known)}, received {", ".join(classes)}'
        )
    table = np.zeros(256, np.uint8)
    table[_IGNORE] = _IGNORE
    for label, name in enumerate(classes, start=1):
        table[known.index(name) + 1] = label
    return table


def _palette(classes: Sequence[str]) -> list[int]:
    meta = PascalVOCDataset.METAINFO
    colours = dict(zip(meta['classes'], meta['palette'], strict=True))
    chosen = [colours[name] for name in ('background', *classes)]
    # All 256 entries: under a short palette Pillow stores fewer bits, which 255 does not survive.
    chosen += [(0, 0, 0)] * (_IGNORE - len(chosen)) + [(224, 224, 192)]
    return [value for colour in chosen for value in colour]
