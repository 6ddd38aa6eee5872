"""Writes pseudo labels as PNG: python tools/export_labels.py CONFIG CHECKPOINT --out DIR.

Every image of a data set of the config gets a label map in the data set's colours, and the folder a
manifest.json, which is written last. An interrupted export goes on by the same command. A data set
takes the folder by its argument label_dir.

On several processes:
    torchrun --nproc_per_node=N tools/export_labels.py ... --launcher pytorch
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from mmengine.config import DictAction
from mmengine.dist import init_dist, is_distributed, is_main_process

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.label_export import (
    CAMLabels,
    LabelFolder,
    ListedImages,
    SegmentationLabels,
    export_settings,
)
from wsss_plugin.engine.run_config import load_config, use_final_threshold


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the labels')
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='train', help='default: train'
    )
    parser.add_argument('--list', metavar='FILE', help='names of images, one per line; else all')
    parser.add_argument(
        '--cams',
        metavar='NAME[+NAME]',
        help="CAMs that make labels, '+' for the average, 'decoder' for what the decode head has "
        "learnt; default: the label maker's",
    )
    parser.add_argument(
        '--labels', metavar='NAME', help="label maker; default: the config's, if it has only one"
    )
    parser.add_argument('--low', type=float, help="default: the config's")
    parser.add_argument('--high', type=float, help="default: the config's at the end of training")
    parser.add_argument(
        '--segmentation',
        action='store_true',
        help="label by the decode head's segmentation, among the image's tags",
    )
    parser.add_argument(
        '--no-tags', action='store_true', help='let --segmentation choose among all classes'
    )
    parser.add_argument(
        '--ignore', type=int, default=255, help='value of undecided pixels; default: 255'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args(arguments)
    by_cams = [
        name for name in ('cams', 'labels', 'low', 'high') if getattr(args, name) is not None
    ]
    if args.segmentation and by_cams:
        parser.error(f'expected --segmentation or --{by_cams[0]}, received both')
    if args.no_tags and not args.segmentation:
        parser.error('expected --no-tags with --segmentation; CAMs are those of the tags')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main(arguments: Sequence[str] | None = None) -> None:
    """Exports as the command line says."""
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options, launcher=args.launcher)
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher, **config.get('env_cfg', {}).get('dist_cfg', {}))
    use_final_threshold(config)
    images = ListedImages(config, args.split, args.list)
    source: CAMLabels | SegmentationLabels
    if args.segmentation:
        source = SegmentationLabels(config, args.checkpoint, with_tags=not args.no_tags)
    else:
        source = CAMLabels(config, args.checkpoint, args.labels, args.cams, args.low, args.high)
    images.require_classes_of(source)
    settings = export_settings(config.model, args.checkpoint, source, images, args.ignore)
    folder = LabelFolder(args.out, images, source, settings, source.ignore_index)
    manifest = folder.write()
    if is_main_process():
        share = manifest.content['ignored_share']
        print(f'\n{len(manifest.images)} labels in {args.out}, {100 * share:.1f} % ignored')


if __name__ == '__main__':
    run_tool(main, 'finished labels are kept; the same command goes on')
