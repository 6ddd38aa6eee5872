"""Times evaluation, test-time augmentation and export beside one image after the other.

    python tools/benchmark_export.py CONFIG [CHECKPOINT] --images 24 --crf-workers 2

The table has images a second on the images of the config's test set, whose masks are needed.
Before: one image, scale and flip at a time, as far as the config has no batches; images loaded as
the config says for an evaluation, and in between for an export. Now: images, scales and flips of
one size together, loaded by processes. The CRF runs in processes in both. Both run in turn in every
repeat. The rate is that of the images beyond the first quarter, so that the start of processes,
which does not grow, is not in it. Without a checkpoint the weights are random.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.benchmark import (
    Comparison,
    LabellingRate,
    publish,
    report_head,
    say_progress,
)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.run_config import load_config

# Of each: how it is done, several scales and flips, CRF.
PARTS = {
    'evaluation': ('evaluate', False, False),
    'evaluation --tta': ('evaluate', True, False),
    'evaluation --tta --crf': ('evaluate', True, True),
    'export': ('export', False, False),
    'export --tta': ('export', True, False),
    'export --tta --refine crf': ('export', True, True),
}
_CRF_ALONE = 'CRF alone'


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='default: random weights')
    parser.add_argument('--images', type=int, default=24, help='default: 24')
    parser.add_argument('--parts', nargs='+', choices=[*PARTS, _CRF_ALONE], help='default: all')
    parser.add_argument('--crf-workers', type=int, default=2, help='default: 2')
    parser.add_argument('--loaders', type=int, default=2, help='default: 2')
    parser.add_argument('--batch-size', type=int, help='default: that of the tools')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--out', metavar='FILE', help='Markdown file of the table')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if min(args.crf_workers, args.threads, args.repeats, args.batch_size or 1) < 1:
        parser.error('expected numbers of at least 1')
    if args.images < 4 or args.loaders < 0:
        parser.error(
            f'expected --images of at least 4 and --loaders of at least 0, received {args.images} '
            f'and {args.loaders}'
        )
    args.parts = args.parts or [*PARTS, _CRF_ALONE]
    return args


def random_checkpoint(config: Config, folder: str) -> str:
    """Saves random weights.

    Args:
        config: The config.
        folder: Where they are saved.

    Returns:
        The file.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    torch.manual_seed(0)
    file = Path(folder, 'random.pth')
    torch.save({'state_dict': MODELS.build(config.model).state_dict(), 'meta': {}}, file)
    return str(file)


def seconds_of_an_image(work: Callable[[int], float], images: int) -> float:
    """Seconds that an image beyond the first quarter takes.

    Args:
        work: Does the work of a number of images and gives its seconds.
        images: Number of images.

    Returns:
        Seconds; where the larger number took no longer, all seconds by all images.
    """
    few = images // 4
    first, every = work(few), work(images)
    return (every - first) / (images - few) if every > first else every / images


def compare(args: argparse.Namespace, rate: LabellingRate) -> Comparison:
    """Runs all parts in turn, both ways.

    Args:
        args: The command line.
        rate: What is timed.

    Returns:
        Seconds of an image.
    """
    comparison = Comparison(('now', 'before'))
    for repeat in range(args.repeats):
        for part in args.parts:
            say_progress(f'{part}, {repeat + 1}/{args.repeats}')
            now, before = works(args, rate, part)
            # Who goes first changes, so that neither always finds the caches warm.
            order = {'now': now, 'before': before} if repeat % 2 else {'before': before, 'now': now}
            seconds = {name: seconds_of_an_image(one, args.images) for name, one in order.items()}
            comparison.add({part: seconds['now']}, {part: seconds['before']})
    return comparison


def works(
    args: argparse.Namespace, rate: LabellingRate, part: str
) -> tuple[Callable[[int], float], Callable[[int], float]]:
    """A part as it is and as it was.

    Args:
        args: The command line.
        rate: What is timed.
        part: Its name.

    Returns:
        Two functions from a number of images to seconds.
    """
    if part == _CRF_ALONE:
        return partial(rate.refine, workers=args.crf_workers), partial(rate.refine, workers=0)
    method, tta, crf = PARTS[part]
    work = partial(getattr(rate, method), tta=tta, crf=crf)
    return partial(work, together=True), partial(work, together=False)


def table(comparison: Comparison) -> str:
    """Images a second as a Markdown table.

    Args:
        comparison: Seconds of an image.

    Returns:
        The table.

    >>> comparison = Comparison()
    >>> comparison.add({'export': 0.1}, {'export': 0.25})
    >>> print(table(comparison))
    | part | before [images/s] | now [images/s] | now / before |
    |---|---:|---:|---:|
    | export | 4 | 10 | 2.50 |
    """
    lines = ['| part | before [images/s] | now [images/s] | now / before |', '|---|---:|---:|---:|']
    for part, now, before, ratio in comparison.rows():
        lines.append(f'| {part} | {1 / before:.3g} | {1 / now:.3g} | {ratio:.2f} |')
    return '\n'.join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    torch.set_num_threads(args.threads)
    config = load_config(args.config, options=args.cfg_options)
    with tempfile.TemporaryDirectory() as place:
        checkpoint = args.checkpoint or random_checkpoint(config, place)
        rate = LabellingRate(config, checkpoint, args.crf_workers, args.loaders, args.batch_size)
        comparison = compare(args, rate)
    given = sys.argv[1:] if arguments is None else arguments
    text = (
        f'{report_head("benchmark_export.py", given, args.threads)}'
        f'Median of {args.repeats} repeats, {args.images} images; before: one image, scale and '
        f'flip at a time, the CRF alone in one process; now: {args.loaders} processes load, '
        f'{args.crf_workers} run the CRF\n\n{table(comparison)}\n'
    )
    publish(text, args.out)


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
