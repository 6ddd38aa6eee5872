"""Compares two folders of label maps on the same images, with an interval over images.

    python tools/compare.py FIRST SECOND --truth data/VOC2012/SegmentationClass

Each folder holds <image>.png: pseudo labels of tools/export_labels.py, or predictions of
    tools/test.py CONFIG CHECKPOINT --cfg-options test_evaluator.output_dir=FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.evaluation import PairedDifference, paired_difference
from wsss_plugin.evaluation.label_map_pairs import UNDECIDED, count_label_maps, label_map_names
from wsss_plugin.whole_file import write_json


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folders', nargs=2, metavar='FOLDER', help='folder of label maps')
    parser.add_argument('--truth', required=True, metavar='DIR', help='folder of the true masks')
    parser.add_argument('--list', metavar='FILE', help='names of images, one per line; else all')
    parser.add_argument('--resamples', type=int, default=1000, help='default: 1000')
    parser.add_argument('--seed', type=int, default=0, help='of the resamples; default: 0')
    parser.add_argument(
        '--undecided',
        choices=UNDECIDED,
        default=UNDECIDED[0],
        help='pixels without a label in either folder: left out for both, or missed; default: skip',
    )
    parser.add_argument('--ignore', type=int, default=255, help='their value; default: 255')
    parser.add_argument('--out', metavar='FILE', help='JSON file for the figures')
    args = parser.parse_args(arguments)
    if args.resamples < 1:
        parser.error(f'expected --resamples >= 1, received {args.resamples}')
    return args


def text(result: PairedDifference, folders: Sequence[str]) -> str:
    """The comparison in Markdown.

    Args:
        result: The comparison.
        folders: The two folders.

    Returns:
        A table and a sentence.
    """
    percent = f'{100 * result.level:g} %'
    sure = 'leaves out 0' if result.is_sure else 'includes 0: no difference is shown'
    lines = [
        '| label maps | mIoU |',
        '| --- | ---: |',
        f'| {folders[0]} | {result.first:.2f} |',
        f'| {folders[1]} | {result.second:.2f} |',
        '',
        f'Difference {result.difference:+.2f}, {percent} interval {result.low:+.2f} to '
        f'{result.high:+.2f} over {result.images} images; it {sure}.',
    ]
    return '\n'.join(lines)


def main(arguments: Sequence[str] | None = None) -> PairedDifference:
    """Compares as the command line says.

    Args:
        arguments: Default: those of the process.

    Returns:
        The comparison.
    """
    args = parse_args(arguments)
    names = label_map_names(args.folders, args.list)
    counts = count_label_maps(names, args.folders, args.truth, args.ignore, args.undecided)
    result = paired_difference(*counts, args.resamples, args.seed)
    print(text(result, args.folders))
    if args.out:
        write_json(args.out, {**asdict(result), 'folders': args.folders, 'seed': args.seed})
    return result


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
