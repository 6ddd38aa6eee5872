"""Judges a trained network without masks: python tools/judge_labels.py CONFIG CHECKPOINT --out DIR.

DIR, by default the folder of the checkpoint, gets judgement.json and review.csv, a row for each
image with the most doubtful one first. With 30 masks or more, --masks DIR scores mIoU with a
95 % interval and picks the low and high thresholds. Agreement and doubt are no accuracy.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.judging import REVIEW_FILE, judge_run, judgement_text
from wsss_plugin.engine.run_config import load_config


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
    print(f'\n{judgement_text(found)}\n')
    print(f'the images, the most doubtful ones first, are in {out / REVIEW_FILE}')


if __name__ == '__main__':
    run_tool(main)
