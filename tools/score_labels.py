"""Scores pseudo labels by CAM and thresholds: python tools/score_labels.py CONFIG CHECKPOINT.

The images are those of test_dataloader; to score training images, which tune nothing on the
validation split, and for data sets with masks of them, add

    --cfg-options test_dataloader.dataset.list_file=ImageSets/Segmentation/train.txt
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from itertools import product

import torch
import torch.nn.functional as F
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmengine.utils import track_iter_progress
from mmseg.registry import DATASETS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.run_config import load_config, use_final_threshold
from wsss_plugin.evaluation import LabelScores
from wsss_plugin.models.segmentors import TokenContrastSegmentor
from wsss_plugin.ops.cam import average_cams

COLUMNS = {
    'mIoU': 'mIoU where labelled',
    'labelled': 'labelled',
    'foreground_right': 'foreground right',
    'foreground_as_background': 'foreground as background',
    'background_as_foreground': 'background as foreground',
}


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='folder of the logs')
    parser.add_argument('--num', type=int, default=100, help='images, spread over the list')
    parser.add_argument(
        '--cams',
        nargs='+',
        metavar='NAME[+NAME]',
        help="CAMs that make labels, '+' for the average; default: each alone, then all",
    )
    parser.add_argument('--low', nargs='+', type=float, help="default: the config's")
    parser.add_argument(
        '--high', nargs='+', type=float, help="default: the config's at the end of training"
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num < 1:
        parser.error(f'expected --num >= 1, received {args.num}')
    return args


def load_segmentor(config: Config, checkpoint: str) -> TokenContrastSegmentor:
    """Builds the segmentor and loads its weights.

    Args:
        config: The config; changed in place.
        checkpoint: The checkpoint file.

    Returns:
        The segmentor in evaluation mode.

    Raises:
        TypeError: If the config's segmentor makes no pseudo labels.
    """
    config.log_level = 'WARNING'
    runner = Runner.from_cfg(config)
    if not isinstance(runner.model, TokenContrastSegmentor):
        raise TypeError(
            'expected a segmentor that makes pseudo labels, such as TokenContrastSegmentor or '
            f'DualBranchSegmentor, received {type(runner.model).__name__}; name another config'
        )
    runner.load_checkpoint(checkpoint)
    return runner.model.eval()


def named_cams(given: Sequence[str] | None, known: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The CAMs to average, by their text on the command line.

    Args:
        given: Texts such as 'final' and 'final+cnn'; None for the default.
        known: Names of the segmentor's CAMs.

    Returns:
        Names by text.

    Raises:
        ValueError: If a name is unknown.
    """
    chosen = {text: tuple(text.split('+')) for text in given or (*known, '+'.join(known))}
    unknown = {name for names in chosen.values() for name in names} - set(known)
    if unknown:
        raise ValueError(f'expected --cams among {list(known)}, received {sorted(unknown)}')
    return chosen


def items(config: Config, num: int) -> Iterator[dict]:
    """Images with masks, spread evenly over the list.

    Args:
        config: The config.
        num: Number of images at most.

    Yields:
        ``inputs`` and ``data_samples`` of one image.
    """
    dataset = DATASETS.build(config.test_dataloader.dataset)
    for index in track_iter_progress(spread_indices(len(dataset), num)):
        yield dataset[index]


@torch.no_grad()
def score(
    model: TokenContrastSegmentor,
    config: Config,
    args: argparse.Namespace,
) -> dict[tuple[str, float, float], dict[str, float]]:
    """Scores every combination of CAMs and thresholds.

    Args:
        model: The segmentor.
        config: The config.
        args: The command line.

    Returns:
        Scores by CAMs, low and high threshold.
    """
    cams_by_text = named_cams(args.cams, model.cam_names)
    lows = args.low or [model.thresholds.low]
    highs = args.high or [model.thresholds.high]
    grid = [key for key in product(cams_by_text, lows, highs) if key[1] <= key[2]]
    classes, ignore = model.decode_head.num_classes, model.decode_head.ignore_index
    scores = {key: LabelScores(classes, ignore) for key in grid}
    for item in items(config, args.num):
        data = model.data_preprocessor(pseudo_collate([item]), False)
        image, (sample,) = data['inputs'], data['data_samples']
        cams = model.multi_scale_cams(image, model.cam_names)
        mask = sample.gt_sem_seg.data[None].float()
        truth = F.interpolate(mask, size=image.shape[-2:], mode='nearest')[0, 0].long()
        for text, low, high in grid:
            names = cams_by_text[text]
            cam = average_cams([cams[name] for name in names])
            label = model.refined_label(image, cam, sample.gt_tags[None], low=low, high=high)
            scores[text, low, high].add(label[0], truth)
    return {key: value.summary() for key, value in scores.items()}


def table(scores: dict[tuple[str, float, float], dict[str, float]]) -> str:
    """The scores in Markdown.

    Args:
        scores: Scores by CAMs, low and high threshold.

    Returns:
        The text.
    """
    lines = [['CAM', 'low', 'high', *COLUMNS.values()], ['---', *['---:'] * (2 + len(COLUMNS))]]
    for (text, low, high), values in scores.items():
        cells = ['' if math.isnan(values[name]) else f'{values[name]:.1f}' for name in COLUMNS]
        lines.append([text, f'{low:g}', f'{high:g}', *cells])
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Scores as the command line says."""
    args = parse_args(arguments)
    config = load_config(args.config, args.work_dir, args.cfg_options)
    use_final_threshold(config)
    model = load_segmentor(config, args.checkpoint)
    print('\n' + table(score(model, config, args)))


if __name__ == '__main__':
    main()
