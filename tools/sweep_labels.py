"""Scores pseudo labels over values of their maker: python tools/sweep_labels.py CONFIG CHECKPOINT.

No training: the CAMs of one checkpoint are labelled with every combination of the values.

    python tools/sweep_labels.py configs/affinitynet/shapes.py work_dirs/shapes/iter_1500.pth
        --labels walk --values alpha=4,16 beta=4,8,16 steps=0,64,256
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence

from mmengine.config import DictAction
from mmengine.utils import track_iter_progress

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.label_export import load_segmentor
from wsss_plugin.engine.label_sweep import sweep_labels
from wsss_plugin.engine.run_config import load_config, use_final_threshold
from wsss_plugin.engine.scored_split import score_split
from wsss_plugin.engine.trained_model import scored_dataset

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
    parser.add_argument(
        '--values',
        nargs='+',
        required=True,
        metavar='NAME=VALUE,...',
        help='arguments of the label maker and what to try of each; all combinations are scored',
    )
    parser.add_argument(
        '--labels', metavar='NAME', help="label maker; default: the config's, if it has only one"
    )
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train')
    parser.add_argument('--num', type=int, default=200, help='images, spread over the list')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num < 1:
        parser.error(f'expected --num >= 1, received {args.num}')
    try:
        args.values = dict(_values(text) for text in args.values)
    except ValueError:
        parser.error(f'expected --values such as alpha=4,16 beta=8, received {args.values}')
    return args


def _values(text: str) -> tuple[str, list[float]]:
    name, numbers = text.split('=')
    return name, [float(number) for number in numbers.split(',')]


def table(names: Sequence[str], scores: Mapping[tuple[float, ...], Mapping[str, float]]) -> str:
    """The scores in Markdown, in percent.

    Args:
        names: Names of the values.
        scores: Scores by the values.

    Returns:
        The text.
    """
    lines = [[*names, *COLUMNS.values()], ['---:'] * (len(names) + len(COLUMNS))]
    for key, values in scores.items():
        cells = ['' if math.isnan(values[name]) else f'{values[name]:.1f}' for name in COLUMNS]
        lines.append([*(f'{value:g}' for value in key), *cells])
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Scores as the command line says."""
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options)
    use_final_threshold(config)
    score_split(config, args.split)
    model, labels = load_segmentor(config, args.checkpoint, args.labels)
    dataset = scored_dataset(config, model.dataset_meta)
    chosen = track_iter_progress(spread_indices(len(dataset), args.num))
    scores = sweep_labels(model, labels, (dataset[index] for index in chosen), args.values)
    print('\n' + table(list(args.values), scores))


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
