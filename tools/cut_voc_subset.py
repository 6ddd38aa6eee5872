"""Cuts some classes and images out of VOC 2012: ``python tools/cut_voc_subset.py VOC2012 OUT``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wsss_plugin.datasets import VOCSubset
from wsss_plugin.engine.command_line import run_tool

_ROOT = Path(__file__).parents[1]
_LISTS = [_ROOT / 'configs' / 'voc_animals' / f'{split}.txt' for split in ('train', 'val')]
_CLASSES = ('cat', 'cow', 'dog', 'horse', 'sheep', 'person')


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


def read_lists(lists: Sequence[Path]) -> dict[str, list[str]]:
    """Reads the names of the images.

    Args:
        lists: Files with a name per line.

    Returns:
        Names by split.

    Raises:
        FileNotFoundError: If a list is missing.
    """
    splits = {}
    for path in lists:
        if not path.is_file():
            raise FileNotFoundError(f'expected the list {path} of --list, found none')
        splits[path.stem] = path.read_text().split()
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
        subset = VOCSubset(args.voc_root, args.classes, args.long_side, args.quality)
        splits = read_lists(args.lists)
        subset.write(args.out, splits)
    except (ValueError, OSError) as error:
        print(f'cut_voc_subset: {error}', file=sys.stderr)
        return 1
    counts = ', '.join(f'{len(names)} {split}' for split, names in splits.items())
    print(f'\ncut_voc_subset: {counts} images in {args.out}')
    return 0


if __name__ == '__main__':
    run_tool(main, 'the folder is incomplete: remove it and start again', gives_code=True)
