"""Times PAR, and measures its memory, beside its plain formulation.

    python tools/benchmark_par.py --threads 1 --out docs/benchmark_par.md

The plain formulation copies all neighbours of all pixels, as the equations are read. Both refine
the same random masks of random images and run in turn in every repeat; the table has medians of
times and of ratios. Results have to agree. Memory is the peak of a process of its own above what it
took before the first call.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsss_plugin.engine.benchmark import (
    Comparison,
    compare_forms,
    measure_in_own_process,
    peak_memory,
    publish,
    report_head,
)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.models.pseudo_labels import PAR

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
    before = peak_memory()
    form()
    return peak_memory() - before


def compare_memory(given: Sequence[str]) -> Comparison:
    """Measures the peak of each form in a process of its own.

    To be called first: a child inherits the peak of its parent.

    Args:
        given: The command line.

    Raises:
        RuntimeError: If such a process fails.
    """
    script = str(Path(__file__).resolve())
    peaks = [
        {'peak memory': float(measure_in_own_process([script, *given, '--peak-of', name]))}
        for name in _FORMS
    ]
    comparison = Comparison()
    comparison.add(*peaks)
    return comparison


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    torch.set_num_threads(args.threads)
    if args.peak_of:
        print(f'{peak(forms(args)[args.peak_of]):.1f}')
        return
    given = sys.argv[1:] if arguments is None else arguments
    memory = compare_memory(given)
    part = f'PAR of {args.batch_size} x {args.size}², {args.channels} channels'
    package, plain = forms(args).values()
    times, largest = compare_forms({part: (package, plain)}, args.repeats, _TOLERANCE)
    text = (
        f'{report_head("benchmark_par.py", given, args.threads)}'
        f'Median of {args.repeats} repeats; results differ by at most {largest:.1e}\n\n'
        f'{times.markdown()}\n\n{memory.markdown("MB")}\n'
    )
    publish(text, args.out)


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
