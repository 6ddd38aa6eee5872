"""Draws how time and memory of an iteration grow with image size, classes, batch and processes.

    python tools/benchmark_scaling.py --config configs/_base_/models/toco_vit_b.py \
        --model deit_tiny_patch16_224 --threads 1 --out docs/results/scaling

Each point is a process of its own; several processes train together, each with a batch of its own.
The table has medians of times, peaks of memory, and the slope in log-log from the point before,
beside that of the products of matrices, which are the formula. A slope that exceeds the formula's
by more than 0.1 is marked: something else than the products grows. The plot is OUT.svg, the table
OUT.md. An axis without values is left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import matplotlib
import torch

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.benchmark import (
    Trainee,
    Workload,
    average_gradients,
    join_processes,
    measure_in_joined_processes,
    measure_in_own_process,
    peak_memory,
    publish,
    report_head,
    say_progress,
)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.whole_file import whole_file

matplotlib.use('Agg')
from matplotlib import pyplot as plt

_ROOT = Path(__file__).resolve().parents[1]
_AXES = {
    'size': 'side of the images',
    'classes': 'classes',
    'batch': 'images in a batch',
    'processes': 'processes',
}
_ALLOWED = 0.1  # by which a slope may exceed that of the formula


@dataclass(frozen=True)
class Point:
    """What an iteration costs at one place of an axis.

    Args:
        axis: What varies: 'size', 'classes', 'batch' or 'processes'.
        value: Its value.
        seconds: Median seconds of an iteration.
        memory: Peak of the process in MB, the libraries' own included; the largest of several.
        operations: Multiplications and additions in products of matrices, of one process.
    """

    axis: str
    value: int
    seconds: float
    memory: float
    operations: float


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--config', default='configs/_base_/models/toco_vit_b.py')
    parser.add_argument('--model', help="timm's transformer in place of that of the config")
    parser.add_argument('--sizes', nargs='*', type=int, default=[224, 320, 448, 640, 896])
    parser.add_argument('--classes', nargs='*', type=int, default=[20, 80, 200, 1000])
    parser.add_argument('--batches', nargs='*', type=int, default=[1, 2, 4, 8])
    parser.add_argument('--processes', nargs='*', type=int, default=[1, 2])
    parser.add_argument('--size', type=int, default=224, help='where classes or the batch vary')
    parser.add_argument('--batch-size', type=int, default=1, help='where size or classes vary')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--out', type=Path, metavar='PREFIX', help='of the table and the plot')
    parser.add_argument('--point', nargs=2, metavar=('AXIS', 'VALUE'), help=argparse.SUPPRESS)
    parser.add_argument('--joined', nargs=2, metavar=('RANK', 'FILE'), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    numbers = [args.size, args.batch_size, args.threads, args.repeats]
    if min(numbers + args.sizes + args.classes + args.batches + args.processes) < 1:
        parser.error('expected numbers of at least 1')
    args.arguments = list(sys.argv[1:] if arguments is None else arguments)
    return args


def measure_point(args: argparse.Namespace, axis: str, value: int) -> Point:
    """Measures an iteration in this process."""
    torch.set_num_threads(args.threads)
    size = value if axis == 'size' else args.size
    config = args.config if Path(args.config).is_file() else str(_ROOT / args.config)
    workload = Workload(
        config,
        args.model,
        size,
        max(16, size // 4),
        value if axis == 'batch' else args.batch_size,
        args.device,
        seed=0,
        num_foreground=value if axis == 'classes' else None,
    )
    segmentor = workload.segmentor()
    inputs, samples = workload.batch(segmentor)
    trainee = Trainee('package', segmentor, inputs, samples, lambda *_: {}, args.device)
    del segmentor
    if args.joined:
        join_processes(int(args.joined[0]), value, args.joined[1])
        average_gradients(trainee.optimizer)
    trainee.iterate()
    seconds = [sum(trainee.iterate()[1].values()) for _ in range(args.repeats)]
    memory = peak_memory(args.device)
    return Point(axis, value, median(seconds), memory, trainee.products())


def measure(args: argparse.Namespace) -> list[Point]:
    """Measures each point in a process of its own.

    Args:
        args: Result of :func:`parse_args`.

    Raises:
        RuntimeError: If such a process fails.
    """
    values = {
        'size': args.sizes,
        'classes': args.classes,
        'batch': args.batches,
        'processes': args.processes,
    }
    points = []
    for axis, value in [(key, value) for key in values for value in values[key]]:
        say_progress(f'{axis} {value}')
        script = str(Path(__file__).resolve())
        command = [script, *args.arguments, '--point', axis, str(value)]
        if axis == 'processes':
            lines = measure_in_joined_processes(command, value)
        else:
            lines = [measure_in_own_process(command)]
        points.append(_costliest([Point(**json.loads(line)) for line in lines]))
    return points


def _costliest(points: Sequence[Point]) -> Point:
    """Processes wait for the slowest; each has memory of its own."""
    return replace(
        points[0],
        seconds=max(point.seconds for point in points),
        memory=max(point.memory for point in points),
    )


def slope(before: float, after: float, values: tuple[int, int]) -> float:
    """Slope in log-log between two points.

    >>> round(slope(1.0, 4.0, (10, 20)), 3)
    2.0
    """
    return math.log(after / before) / math.log(values[1] / values[0])


def table(points: Sequence[Point]) -> str:
    """Markdown table of the points; slopes that exceed the formula's are bold."""
    lines = [
        '| | | time [s] | memory [MB] | GFLOP | slope of time | of memory | of GFLOP |',
        '|---|---:|---:|---:|---:|---:|---:|---:|',
    ]
    before: Point | None = None
    for point in points:
        slopes = ' |  | '
        if before is not None and before.axis == point.axis:
            slopes = ' | '.join(_slopes(before, point))
        lines.append(
            f'| {_AXES[point.axis]} | {point.value} | {point.seconds:.3g} | {point.memory:.0f} | '
            f'{point.operations / 1e9:.3g} | {slopes} |'
        )
        before = point
    return '\n'.join(lines)


def _slopes(before: Point, point: Point) -> list[str]:
    """Slopes of time, memory and formula between two points."""
    values = (before.value, point.value)
    time, memory, formula = (
        slope(getattr(before, key), getattr(point, key), values)
        for key in ('seconds', 'memory', 'operations')
    )
    marks = ['**' if one > formula + _ALLOWED else '' for one in (time, memory)]
    shown = zip(marks, (time, memory), strict=True)
    return [*(f'{mark}{one:.2f}{mark}' for mark, one in shown), f'{formula:.2f}']


def verdict(points: Sequence[Point]) -> str:
    """How many slopes of the table keep the rule.

    Args:
        points: The points, those of an axis in a row.

    Returns:
        A sentence.
    """
    pairs = [pair for pair in pairwise(points) if pair[0].axis == pair[1].axis]
    marked = [one for pair in pairs for one in _slopes(*pair) if one.startswith('**')]
    return (
        f'{len(marked)} of {2 * len(pairs)} slopes of time and memory exceed that of the products '
        f'by more than {_ALLOWED}.'
    )


def draw(points: Sequence[Point], path: Path) -> None:
    """Draws time and memory over each axis, in log-log, as SVG."""
    axes = list(dict.fromkeys(point.axis for point in points))
    figure, plots = plt.subplots(2, len(axes), figsize=(3.2 * len(axes), 5), squeeze=False)
    quantities = (('seconds', 'time of an iteration [s]'), ('memory', 'peak memory [MB]'))
    for column, axis in enumerate(axes):
        line = [point for point in points if point.axis == axis]
        for row, (key, label) in enumerate(quantities):
            plot = plots[row][column]
            plot.loglog([one.value for one in line], [getattr(one, key) for one in line], 'o-')
            plot.set_xticks([one.value for one in line], [str(one.value) for one in line])
            plot.minorticks_off()
            plot.set_xlabel(_AXES[axis])
            plot.set_ylabel(label if not column else '')
            plot.grid(alpha=0.3)
    figure.tight_layout()
    with whole_file(path) as file:
        figure.savefig(file, format='svg')
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    if args.point:
        print(json.dumps(asdict(measure_point(args, args.point[0], int(args.point[1])))))
        return
    points = measure(args)
    text = (
        f'{report_head("benchmark_scaling.py", args.arguments, args.threads, args.device)}'
        f'{args.model or "network"} under {args.config}, {args.batch_size} x {args.size}² where '
        f'these do not vary; median of {args.repeats} repeats\n\n{table(points)}\n\n'
        f'{verdict(points)}\n'
    )
    if args.out:
        draw(points, args.out.with_suffix('.svg'))
        text += f'\n![Time and memory]({args.out.name}.svg)\n'
    publish(text, args.out and args.out.with_suffix('.md'))


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
