"""Cuts some classes and images out of VOC 2012: ``python tools/cut_voc_subset.py VOC2012 OUT``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.utils import track_iter_progress
from mmseg.datasets import PascalVOCDataset
from PIL import Image

_ROOT = Path(__file__).parents[1]
_LISTS = [_ROOT / 'configs' / 'voc_animals' / f'{split}.txt' for split in ('train', 'val')]
_CLASSES = ('cat', 'cow', 'dog', 'horse', 'sheep', 'person')
_MASK_FOLDERS = ('SegmentationClass', 'SegmentationClassAug')
_IGNORE = 255


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments: Default: those of the process.

    Returns:
        One attribute per argument.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'voc_root',
        type=Path,
        help='folder VOC2012 with JPEGImages, SegmentationClass and, for the images that SBD adds, '
        'SegmentationClassAug',
    )
    parser.add_argument('out', type=Path, help='folder of the subset, in VOC layout')
    parser.add_argument(
        '--classes', nargs='+', default=_CLASSES, help='labels from 1; all others are background'
    )
    parser.add_argument('--long-side', type=int, default=320, help='in pixels; none is enlarged')
    parser.add_argument('--quality', type=int, default=85, help='of the JPEG images')
    parser.add_argument(
        '--list',
        nargs='+',
        type=Path,
        default=_LISTS,
        dest='lists',
        help='files with a name per line; the name of the file is that of the split',
    )
    return parser.parse_args(arguments)


def label_table(classes: Sequence[str]) -> np.ndarray:
    """New label of every label of VOC.

    Args:
        classes: Names of VOC classes, which get the labels from 1.

    Returns:
        uint8 array of 256 labels; other classes become 0, 255 stays.

    Raises:
        ValueError: If a name is unknown or repeated.
    """
    known = PascalVOCDataset.METAINFO['classes'][1:]
    if len(set(classes)) != len(classes) or not set(classes) <= set(known):
        raise ValueError(
            f'expected different classes among {", ".join(known)} for --classes, received '
            f'{", ".join(classes)}'
        )
    table = np.zeros(256, np.uint8)
    table[_IGNORE] = _IGNORE
    for label, name in enumerate(classes, start=1):
        table[known.index(name) + 1] = label
    return table


def shrink(picture: Image.Image, long_side: int, resampling: Image.Resampling) -> Image.Image:
    """Shrinks a picture until its long side fits.

    Args:
        picture: Image or mask.
        long_side: Largest height and width in pixels.
        resampling: Pillow's filter.

    Returns:
        The smaller picture, or the same if it fits already.
    """
    scale = min(1.0, long_side / max(picture.size))
    width, height = (max(1, round(scale * side)) for side in picture.size)
    return picture.resize((width, height), resampling)


def mask_file(voc_root: Path, name: str) -> Path:
    """Finds the mask of an image, VOC's own before SBD's.

    Args:
        voc_root: Folder VOC2012.
        name: Name of the image.

    Returns:
        The file.

    Raises:
        FileNotFoundError: If there is none.
    """
    for folder in _MASK_FOLDERS:
        path = voc_root / folder / f'{name}.png'
        if path.is_file():
            return path
    raise FileNotFoundError(
        f'expected the mask {name}.png in {" or ".join(_MASK_FOLDERS)} of {voc_root}, found none; '
        'the images of train_aug need the masks of SBD in SegmentationClassAug'
    )


def cut_mask(path: Path, table: np.ndarray, long_side: int) -> np.ndarray:
    """Reads, shrinks (nearest) and relabels a mask.

    Args:
        path: A mask whose pixels are VOC's labels.
        table: Result of :func:`label_table`.
        long_side: Largest height and width in pixels.

    Returns:
        uint8 mask (height, width).

    Raises:
        ValueError: If the mask is in colour.
    """
    with Image.open(path) as picture:
        if picture.mode not in ('P', 'L'):
            raise ValueError(
                f'{path}: expected labels or palette indices, received an image of mode '
                f"{picture.mode}; use VOC's own masks, not coloured copies"
            )
        return table[np.asarray(shrink(picture, long_side, Image.Resampling.NEAREST))]


def _palette(classes: Sequence[str]) -> list[int]:
    meta = PascalVOCDataset.METAINFO
    colours = dict(zip(meta['classes'], meta['palette'], strict=True))
    chosen = [colours[name] for name in ('background', *classes)]
    # All 256 entries: under a short palette Pillow stores fewer bits, which 255 does not survive.
    chosen += [(0, 0, 0)] * (_IGNORE - len(chosen)) + [(224, 224, 192)]
    return [value for colour in chosen for value in colour]


def _cut(name: str, args: argparse.Namespace, table: np.ndarray) -> list[int]:
    """Writes image and mask; returns the labels in the mask."""
    source = args.voc_root / 'JPEGImages' / f'{name}.jpg'
    if not source.is_file():
        raise FileNotFoundError(
            f'expected the image {source}, found none; name the folder VOC2012, with JPEGImages'
        )
    mask = cut_mask(mask_file(args.voc_root, name), table, args.long_side)
    with Image.open(source) as picture:
        small = shrink(picture.convert('RGB'), args.long_side, Image.Resampling.LANCZOS)
    small.save(args.out / 'JPEGImages' / f'{name}.jpg', quality=args.quality)
    picture = Image.fromarray(mask)
    picture.putpalette(_palette(args.classes))
    picture.save(args.out / 'SegmentationClass' / f'{name}.png')
    return [label for label in np.unique(mask).tolist() if label not in (0, _IGNORE)]


def _read_lists(lists: Sequence[Path]) -> dict[str, list[str]]:
    splits = {}
    for path in lists:
        if not path.is_file():
            raise FileNotFoundError(f'expected the list {path} of --list, found none')
        splits[path.stem] = path.read_text().split()
    return splits


def cut(args: argparse.Namespace) -> dict[str, list[str]]:
    """Writes the subset. The tags are the labels that occur in the shrunk masks.

    Args:
        args: Result of :func:`parse_args`.

    Returns:
        Names of the images by split.

    Raises:
        FileNotFoundError: If an image, mask or list is missing.
        ValueError: If a class or a number is not usable, or a mask is in colour.
    """
    if args.long_side < 1 or not 1 <= args.quality <= 95:
        raise ValueError(
            'expected --long-side of at least 1 and --quality from 1 to 95, received '
            f'{args.long_side} and {args.quality}'
        )
    table, splits = label_table(args.classes), _read_lists(args.lists)
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    names = sorted({name for split in splits.values() for name in split})
    labels = {name: _cut(name, args, table) for name in track_iter_progress(names)}
    for split, chosen in splits.items():
        path = args.out / 'ImageSets' / 'Segmentation' / f'{split}.txt'
        path.write_text('\n'.join(chosen) + '\n')
    # Last, so that an interrupted run leaves a folder that no data set accepts.
    content = {'classes': ['background', *args.classes], 'labels': labels}
    (args.out / 'tags.json').write_text(json.dumps(content))
    return splits


def main(arguments: Sequence[str] | None = None) -> int:
    """Cuts as the command line says; errors are one line.

    Args:
        arguments: Default: those of the process.

    Returns:
        0, or 1 after an error.
    """
    args = parse_args(arguments)
    try:
        splits = cut(args)
    except (ValueError, OSError) as error:
        print(f'cut_voc_subset: {error}', file=sys.stderr)
        return 1
    counts = ', '.join(f'{len(names)} {split}' for split, names in splits.items())
    print(f'\ncut_voc_subset: {counts} images in {args.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
