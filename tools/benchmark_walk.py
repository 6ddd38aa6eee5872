"""Times the walk along affinities, and ReCAM's class features, beside their published forms.

    python tools/benchmark_walk.py --threads 1 --out docs/benchmark_walk.md

The published walk squares the matrix of all pairs of cells eight times; published class features
are means of masked copies of all features. Both forms run in turn in every repeat, on random maps;
the table has medians of times and of ratios. Results have to agree.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from wsss_plugin.engine.benchmark import Comparison, Forms, compare_forms, publish, report_head
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.ops import class_features, pair_affinity, pair_offsets, random_walk

_ROOT = Path(__file__).resolve().parents[1]
_TOLERANCE = 1e-5
_STRIDE, _RADIUS, _BETA, _DOUBLINGS = 8, 5, 8, 8
_CLASSES = 21


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', nargs=2, type=int, default=[375, 500], help='of the image')
    parser.add_argument('--channels', type=int, default=2048, help='of the features of classes')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--out', metavar='FILE', help='Markdown file of the table')
    args = parser.parse_args(arguments)
    if min(args.threads, args.repeats, args.channels, *args.size) < 1:
        parser.error('expected numbers of at least 1')
    return args


def walks(size: Sequence[int], plain: dict) -> Forms:
    """Both forms of a walk of background and three of twenty classes.

    Args:
        size: Height and width of the image.
        plain: The published formulations.

    Returns:
        The package's and the published one.
    """
    grid = [-(-side // _STRIDE) for side in size]
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 448, *grid, generator=generator)
    scores = torch.rand(1, _CLASSES, *grid, generator=generator)
    scores[:, 4:] = 0
    affinity = pair_affinity(features, _RADIUS)
    offsets = pair_offsets(_RADIUS)
    return (
        lambda: random_walk(scores, affinity, _RADIUS, beta=_BETA, steps=2**_DOUBLINGS)[0],
        lambda: plain['dense_walk'](scores[0], affinity[0], offsets, _BETA, _DOUBLINGS),
    )


def pooled(channels: int, plain: dict) -> Forms:
    """Both forms of class features of two images, a crop of 512 pixels at stride 16.

    Args:
        channels: Channels of the features.
        plain: The published formulations.

    Returns:
        The package's and the published one.
    """
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, channels, 32, 32, generator=generator)
    masks = torch.rand(2, _CLASSES - 1, 32, 32, generator=generator)
    return (
        lambda: class_features(features, masks),
        lambda: plain['class_features'](features, masks),
    )


def measure(args: argparse.Namespace) -> tuple[Comparison, float]:
    """Runs both forms of the walk and of class features in turn.

    Args:
        args: The command line.

    Returns:
        Times, and the largest difference between the results of two forms.

    Raises:
        RuntimeError: If results differ.
    """
    plain = runpy.run_path(str(_ROOT / 'tests' / 'plain_affinity.py'))
    height, width = args.size
    forms = {
        f'walk of {height} x {width}, stride {_STRIDE}': walks(args.size, plain),
        f'class features, 2 x {args.channels} channels': pooled(args.channels, plain),
    }
    return compare_forms(forms, args.repeats, _TOLERANCE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    torch.set_num_threads(args.threads)
    comparison, largest = measure(args)
    given = sys.argv[1:] if arguments is None else arguments
    text = (
        f'{report_head("benchmark_walk.py", given, args.threads)}'
        f'Median of {args.repeats} repeats; radius {_RADIUS}, {2**_DOUBLINGS} steps; results '
        f'differ by at most {largest:.1e}\n\n{comparison.markdown()}\n'
    )
    publish(text, args.out)


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
