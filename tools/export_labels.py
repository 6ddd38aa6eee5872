"""Writes pseudo labels as PNG: python tools/export_labels.py CONFIG CHECKPOINT --out DIR.

Every image of a data set of the config gets a label map in the data set's colours, and the folder a
manifest.json, which is written last. An interrupted export goes on by the same command. A data set
takes the folder by its argument label_dir. With --scores the files are CAMs, from which --cams-from
makes labels without making the CAMs again, also along affinities that another model has learnt.

On several processes:
    torchrun --nproc_per_node=N tools/export_labels.py ... --launcher pytorch
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.dist import init_dist, is_distributed, is_main_process
from mmengine.logging import MMLogger
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.batched_test import augmentations
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.label_export import (
    REFINEMENTS,
    CAMLabels,
    CAMScores,
    LabelFolder,
    ListedImages,
    ScoreFiles,
    SegmentationLabels,
    StoredCAMs,
    export_settings,
)
from wsss_plugin.engine.large_images import window_hint
from wsss_plugin.engine.run_config import load_config, use_final_threshold
from wsss_plugin.engine.terminal import hide_toolbox_warnings
from wsss_plugin.evaluation.size_batches import usual_batch_size
from wsss_plugin.models.windowed_cams import check_window

_ALPHAS = (4.0, 32.0)  # published
_MEASURED = 8


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
        '--refine',
        choices=REFINEMENTS,
        help="default: what the label maker does, and 'crf' for one that walks; none for a "
        'segmentation',
    )
    parser.add_argument(
        '--crf-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings of the dense CRF: num_iter, gaussian, bilateral; default: the published',
    )
    parser.add_argument(
        '--crf-workers',
        type=int,
        default=2,
        help='processes that run the CRF, 0 for none beside this one; default: 2',
    )
    parser.add_argument(
        '--loaders',
        type=int,
        help='processes that load images, 0 for none beside this one; default: num_workers of the '
        "config's test_dataloader",
    )
    parser.add_argument(
        '--batch-size',
        type=int,
        help='images of one size that --segmentation predicts together; default: 4, and fewer of '
        'many classes',
    )
    parser.add_argument(
        '--scores',
        choices=['cams', 'alphas'],
        help="write scores in place of labels: 'cams', or background and classes after a dense "
        'CRF, for two alphas',
    )
    parser.add_argument(
        '--alphas', nargs=2, type=float, metavar=('LOW', 'HIGH'), help='default: 4 32'
    )
    parser.add_argument(
        '--cams-from', metavar='DIR', help='CAMs that --scores cams has written, of any model'
    )
    parser.add_argument(
        '--window', type=int, metavar='SIDE', help='side in pixels of windows of large images'
    )
    parser.add_argument(
        '--stride', type=int, help='distance between windows; default: two thirds of the side'
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help="several scales and flips of --segmentation, by the config's tta_model",
    )
    parser.add_argument(
        '--segmentation',
        action='store_true',
        help="label by the decode head's segmentation, among the image's tags",
    )
    parser.add_argument(
        '--no-tags', action='store_true', help='let --segmentation choose among all classes'
    )
    parser.add_argument(
        '--least',
        type=float,
        default=0.0,
        metavar='SHARE',
        help='share of the pixels that the tags get in --segmentation where none is predicted',
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
    for given, other in _contradictions(args):
        parser.error(f'expected {given} or {other}, received both')
    if args.no_tags and not args.segmentation:
        parser.error('expected --no-tags with --segmentation; CAMs are those of the tags')
    if args.tta and not args.segmentation:
        parser.error('expected --tta with --segmentation; CAMs are of several scales by themselves')
    if args.least and not args.segmentation:
        parser.error('expected --least with --segmentation')
    if args.alphas and args.scores != 'alphas':
        parser.error('expected --alphas with --scores alphas')
    if args.stride and not args.window:
        parser.error('expected --stride with --window')
    if args.batch_size is not None and not args.segmentation:
        parser.error('expected --batch-size with --segmentation; CAMs are of one image at a time')
    for name, least in (('crf_workers', 0), ('loaders', 0), ('batch_size', 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            parser.error(f'expected --{name.replace("_", "-")} >= {least}, received {value}')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def _contradictions(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Pairs of options that were given and of which only one can be followed."""

    def given(*names: str) -> list[str]:
        values = {name: getattr(args, name.replace('-', '_')) for name in names}
        return [f'--{name}' for name, value in values.items() if value not in (None, False)]

    pairs = []
    for one, others in (
        ('segmentation', ('cams', 'labels', 'low', 'high', 'scores', 'cams-from')),
        ('scores', ('labels', 'low', 'high', 'refine')),
        ('cams-from', ('cams', 'window')),
    ):
        if given(one):
            pairs += [(f'--{one}', other) for other in given(*others)]
    return pairs


def prepare_config(args: argparse.Namespace) -> Config:
    """Applies the command line to the config.

    Args:
        args: The command line.

    Returns:
        The config, in which CAMs are not made where they are not asked for.
    """
    config = load_config(args.config, options=args.cfg_options, launcher=args.launcher)
    use_final_threshold(config)
    if args.segmentation and args.window:
        window, stride = window_of(args)
        test_cfg = {'mode': 'slide', 'crop_size': (window, window), 'stride': (stride, stride)}
        config.merge_from_dict({'model': {'test_cfg': test_cfg}})
    return config


def window_of(args: argparse.Namespace) -> tuple[int, int] | None:
    """Side and stride of windows.

    Args:
        args: The command line.

    Returns:
        Pixels, None for the image as a whole.

    Raises:
        ConfigError: If the stride does not fit the side.
    """
    if args.window is None:
        return None
    window = args.window, max(args.window * 2 // 3, 1) if args.stride is None else args.stride
    check_window(*window)
    return window


def make_source(
    args: argparse.Namespace, config: Config, images: ListedImages
) -> CAMLabels | CAMScores | SegmentationLabels:
    """What labels an image, or gives its scores.

    Args:
        args: The command line.
        config: The config.
        images: The images.

    Returns:
        The source.
    """
    if args.segmentation:
        return SegmentationLabels(
            config,
            args.checkpoint,
            with_tags=not args.no_tags,
            refine=args.refine,
            crf=args.crf_options,
            augmented=args.tta,
            least=args.least,
        )
    shared: dict[str, Any] = {
        'cams': args.cams,
        'crf': args.crf_options,
        'window': window_of(args),
        'stored': None if args.cams_from is None else StoredCAMs(args.cams_from, images),
    }
    if args.scores:
        alphas = (args.alphas or _ALPHAS) if args.scores == 'alphas' else None
        return CAMScores(config, args.checkpoint, alphas=alphas, **shared)
    return CAMLabels(
        config,
        args.checkpoint,
        labels=args.labels,
        low=args.low,
        high=args.high,
        refine=args.refine,
        **shared,
    )


def hint_at_windows(images: ListedImages) -> None:
    """Says that there are windows, where one of some images is large.

    Args:
        images: The images.
    """
    for index in spread_indices(len(images), _MEASURED):
        name = images.names[index]
        # Whoever reads a damaged file says so.
        with suppress(OSError), Image.open(images.path(name)) as image:
            if hint := window_hint(name, image.height, image.width):
                print(f'tools/export_labels.py: {hint}')
                return


def _loaders(args: argparse.Namespace, config: Config) -> int:
    loader = config.get('test_dataloader') or {}
    return int(loader.get('num_workers', 0)) if args.loaders is None else args.loaders


def main(arguments: Sequence[str] | None = None) -> None:
    """Exports as the command line says."""
    args = parse_args(arguments)
    config = prepare_config(args)
    if args.launcher != 'none' and not is_distributed():
        init_dist(args.launcher, **config.get('env_cfg', {}).get('dist_cfg', {}))
    pipeline = config.get('tta_pipeline') if args.tta else None
    images = ListedImages(config, args.split, args.list, pipeline)
    source = make_source(args, config, images)
    images.require_classes_of(source)
    usual = usual_batch_size(len(images.classes), augmentations(pipeline))
    hide_toolbox_warnings(MMLogger.get_current_instance())
    folder = LabelFolder(
        args.out,
        images,
        source,
        export_settings(config.model, args.checkpoint, source, images, args.ignore),
        source.ignore_index,
        files=ScoreFiles(source.kind) if isinstance(source, CAMScores) else None,
        workers=args.crf_workers if source.uses_crf else 0,
        loaders=_loaders(args, config),
        batch_size=args.batch_size or usual,
    )
    if args.window is None and args.cams_from is None and is_main_process():
        hint_at_windows(images)
    manifest = folder.write()
    if is_main_process():
        print(f'\n{folder.files.said(manifest.content)} in {args.out}')


if __name__ == '__main__':
    run_tool(main, 'finished labels are kept; the same command goes on')
