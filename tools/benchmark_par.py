"""Times PAR, and measures its memory, beside its plain formulation.

    python tools/benchmark_par.py --threads 1 --out docs/benchmark_par.md

The plain formulation copies all neighbours of all pixels, as the equations are read. Both refine
the same random masks of random images and run in turn in every repeat; the table has medians of
times and of ratios. Results have to agree. Memory is the peak of a process of its own above what it
took before the first call.
"""

from __future__ import annotations

import argparse
import resource
import runpy
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsss_plugin.engine.benchmark import Comparison
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.machine import describe_machine
from wsss_plugin.models.pseudo_labels import PAR
from wsss_plugin.whole_file import whole_file

_ROOT = Path(__file__).resolve().parents[1]
_TOLERANCE = 1e-4
_FORMS = ('package', 'plain')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--size', type=int, default=448, help='sides of the images')
    parser.add_argument('--batch-size', type=int, default=2)
    parser.add_argument('--channels', type=int, default=4, help='of the masks')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--out', metavar='FILE', help='Markdown file of the tables')
    parser.add_argument('--peak-of', choices=_FORMS, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if min(args.threads, args.repeats, args.channels, args.batch_size, args.size) < 1:
        parser.error('expected numbers of at least 1')
    return args


def forms(args: argparse.Namespace) -> dict[str, Callable[[], Tensor]]:
    """Both forms by name, on the same random images and masks."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(args.batch_size, 3, args.size, args.size, generator=generator)
    masks = torch.rand(args.batch_size, args.channels, args.size, args.size, generator=generator)
    plain = runpy.run_path(str(_ROOT / 'tests' / 'plain_formulations.py'))['par']
    return dict(
        zip(_FORMS, (lambda: PAR()(images, masks), lambda: plain(images, masks)), strict=True)
    )


def peak(form: Callable[[], Tensor]) -> float:
    """Peak memory in MB of one call above what the process had before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    form()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10


def compare_memory(given: Sequence[str]) -> Comparison:
    """Measures the peak of each form in a process of its own.

    To be called first: a child inherits the peak of its parent.

    Args:
        given: The command line.

    Raises:
        RuntimeError: If such a process fails.
    """
    comparison, peaks = Comparison(), []
    for name in _FORMS:
        command = [sys.executable, str(Path(__file__).resolve()), *given, '--peak-of', name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f'expected a measurement from {command}, received {done.stderr}')
        peaks.append({'peak memory': float(done.stdout.split()[-1])})
    comparison.add(*peaks)
    return comparison


def compare_times(args: argparse.Namespace) -> tuple[Comparison, float]:
    """Runs both forms in turn, after one call each that is not counted.

    Args:
        args: The command line.

    Returns:
        Times, and the largest difference between the results.

    Raises:
        RuntimeError: If results differ.
    """
    comparison, largest = Comparison(), 0.0
    part = f'PAR of {args.batch_size} x {args.size}², {args.channels} channels'
    for repeat in range(args.repeats + 1):
        results, seconds = [], []
        for form in forms(args).values():
            start = time.perf_counter()
            results.append(form())
            seconds.append({part: time.perf_counter() - start})
        largest = max(largest, float((results[0] - results[1]).abs().max()))
        if repeat:
            comparison.add(*seconds)
    if largest > _TOLERANCE:
        raise RuntimeError(
            f'expected results that differ by at most {_TOLERANCE:g}, received {largest:.2g}; '
            'only forms that agree are worth comparing'
        )
    return comparison, largest


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    torch.set_num_threads(args.threads)
    if args.peak_of:
        print(f'{peak(forms(args)[args.peak_of]):.1f}')
        return
    given = sys.argv[1:] if arguments is None else arguments
    memory = compare_memory(given)
    times, largest = compare_times(args)
    text = (
        f'Hardware: {describe_machine(args.threads)}  \n'
        f'Command: `{shlex.join(["python", "tools/benchmark_par.py", *given])}`  \n'
        f'Median of {args.repeats} repeats; results differ by at most {largest:.1e}\n\n'
        f'{times.markdown()}\n\n{memory.markdown("MB")}\n'
    )
    print(text)
    if args.out:
        with whole_file(args.out) as file:
            file.write(text.encode())


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
