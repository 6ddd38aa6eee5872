"""Judges a trained network without masks: python tools/judge_labels.py CONFIG CHECKPOINT --out DIR.

DIR, by default the folder of the checkpoint, gets judgement.json and review.csv, a row for each
image with the most doubtful one first. With 30 masks or more, --masks DIR scores mIoU with a
95 % interval and picks the low and high thresholds. Agreement and doubt are no accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.judging import REVIEW_FILE, judge_run
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.errors import cut

_TITLES = {
    'tag_precision': 'tags: precision of the segmentation among all classes',
    'tag_recall': 'tags: recall of the segmentation among all classes',
    'tag_f1': 'tags: F1 of the segmentation among all classes',
    'source_agreement': 'mIoU of segmentation and labels',
    'flip_agreement': 'mIoU of an image and its mirror image',
    'undecided': 'pixels without label',
    'all_background': 'images with tags that are all background',
    'full_frame': 'images that one class fills',
}
_COLUMNS = {
    'images': 'images',
    'tag_precision': 'precision',
    'tag_recall': 'recall',
    'source_iou': 'labels IoU',
    'flip_iou': 'mirror IoU',
    'undecided': 'undecided',
    'all_background': 'all background',
    'full_frame': 'full frame',
}


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', metavar='DIR', help="default: the checkpoint's folder")
    parser.add_argument('--list', metavar='FILE', help='names of images to judge, one per line')
    parser.add_argument(
        '--split',
        choices=['train', 'val', 'test'],
        help="whose images are judged; default: with --list 'train', else 'val' if the config has "
        'one, else a share of train',
    )
    parser.add_argument(
        '--share', type=float, default=0.1, help='of train where there are no others; default: 0.1'
    )
    parser.add_argument('--num', type=int, help='images at most, spread over them; default: all')
    parser.add_argument('--labels', metavar='NAME', help='label maker that is compared')
    parser.add_argument('--label-dir', metavar='DIR', help='labels that are compared instead')
    parser.add_argument('--masks', metavar='DIR', help='masks <name>.png of 30 images or more')
    parser.add_argument(
        '--keep-thresholds', action='store_true', help='let the masks pick no thresholds'
    )
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num is not None and args.num < 1:
        parser.error(f'expected --num >= 1, received {args.num}')
    if args.labels and args.label_dir:
        parser.error('expected --labels or --label-dir, received both')
    return args


def text(found: Mapping[str, Any]) -> str:
    """The judgement in lines and two tables in Markdown, in percent.

    Args:
        found: What ``judge_run`` gives.

    Returns:
        The text.
    """
    images = found['images']
    lines = [f'{images["count"]} images of {images["split"]}, no mask used', '']
    if images['trained_on']:
        lines[0] += f'; {images["trained_on"]} of them were trained on, which flatters the tags'
    rows = [
        [_TITLES[name], _cell(value), 'yes' if name in found['recommended'] else 'no']
        for name, value in found['signals'].items()
    ]
    lines += _markdown(['signal', '%', 'recommended'], rows)
    classes = [
        [cut(row['class'], 40).replace('|', '\\|'), *(_cell(row[name]) for name in _COLUMNS)]
        for row in found['by_class']
    ]
    lines += ['', *_markdown(['class', *_COLUMNS.values()], classes)]
    if found['masks']:
        lines += ['', *_by_masks(found['masks'])]
    return '\n'.join(lines)


def _by_masks(masks: Mapping[str, Any]) -> list[str]:
    rows = [
        [name, _cell(masks[name]['mIoU']), f'{masks[name]["low"]:.1f}-{masks[name]["high"]:.1f}']
        for name in ('segmentation', 'restricted', 'labels')
        if name in masks
    ]
    lines = _markdown([f'by {masks["count"]} masks', 'mIoU', '95 % interval'], rows)
    chosen = masks['thresholds']
    if chosen:
        lines += [
            '',
            f'{chosen["said"]}: {_cell(chosen["out_of_fold_mIoU"])} mIoU where labelled, '
            f'{chosen["out_of_fold_labelled"]:.1f} % labelled, out of fold',
        ]
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return '-'
    return str(value) if isinstance(value, int) else f'{value:.1f}'


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judges as the command line says."""
    args = parse_args(arguments)
    out = Path(args.out) if args.out else Path(args.checkpoint).parent
    found = judge_run(
        load_config(args.config, options=args.cfg_options),
        args.checkpoint,
        out,
        split=args.split,
        list_file=args.list,
        share=args.share,
        number=args.num,
        labels=args.labels,
        label_dir=args.label_dir,
        masks=args.masks,
        pick_thresholds=not args.keep_thresholds,
        seed=args.seed,
    )
    print(
        f'\n{text(found)}\n\nthe images, the most doubtful ones first, are in {out / REVIEW_FILE}'
    )


if __name__ == '__main__':
    run_tool(main)
