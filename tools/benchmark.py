"""Times a training iteration by part, refinement and evaluation beside a plain formulation.

Parts are those of the config: the label makers and loss terms that it lists, by their names, and
what all of them share. The plain formulation, tests/plain_formulations.py, computes the same losses
with the same networks, one image at a time and without sharing anything: decoder in the CAM passes,
attention matrix written out, view 1 forwarded three times, refinement twice per image with copies
of all neighbours, the lattice of the energy in a dictionary. That of networks with class tokens,
tests/plain_class_tokens.py, keeps the attention of all blocks and heads. Both run in turn in every
repeat; the table has medians of times and of ratios. A config with parts that are not written out
there is measured alone. `--parts iteration limit` sets each part beside the time that the machine
needs for its operators: products at the rate of their shape, all else at its bandwidth.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.benchmark import (
    VARIANTS,
    Comparison,
    Trainee,
    Workload,
    compare_evaluation,
    compare_iterations,
    compare_products,
    compare_refinements,
    limit_tables,
    measure_in_own_process,
    peak_memory,
    publish,
    report_head,
    say_progress,
)

_ROOT = Path(__file__).resolve().parents[1]
_PARTS = ('iteration', 'limit', 'products', 'refinement', 'evaluation', 'memory')
_PLAIN = ('plain_formulations', 'plain_class_tokens')
_ITERATIONS_FOR_MEMORY = 2


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments: Default: those of the process.

    Returns:
        One attribute per argument.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--config',
        default='configs/_base_/models/toco_vit_b.py',
        help='config with the segmentor, of which all terms are measured',
    )
    parser.add_argument('--model', help="timm's transformer in place of that of the config")
    parser.add_argument('--size', type=int, default=224, help='of the views in pixels')
    parser.add_argument('--local-size', type=int, help='of the local crops; default by --size')
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--parts', nargs='+', choices=_PARTS, default=_PARTS)
    parser.add_argument(
        '--alone', action='store_true', help='leave out the plain formulation, which takes long'
    )
    parser.add_argument(
        '--against',
        nargs=2,
        metavar=('COUNT', 'CONFIG'),
        help='time an iteration beside COUNT iterations of this config, in place of its parts',
    )
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, metavar='FILE', help='Markdown file for the table')
    parser.add_argument('--peak-of', choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.repeats < 1 or args.threads < 1:
        parser.error(
            f'expected --repeats and --threads of at least 1, received {args.repeats} and '
            f'{args.threads}'
        )
    args.arguments = list(sys.argv[1:] if arguments is None else arguments)
    return args


def default_local_size(size: int) -> int:
    """Side of the local crops: 96 at 448, as published, and 64 at 224 pixels."""
    return 96 if size >= 336 else 64 if size >= 128 else 32


def load_plain(segmentor: Any) -> ModuleType:
    """Loads the plain formulations of a segmentor, which live with the tests.

    Args:
        segmentor: The segmentor.

    Returns:
        The first module that has all of its parts, otherwise the first of all.

    Raises:
        FileNotFoundError: If the tests are not there.
    """
    modules = [_load_module(name) for name in _PLAIN]
    return next((one for one in modules if not one.not_formulated(segmentor)), modules[0])


def _load_module(name: str) -> ModuleType:
    path = _ROOT / 'tests' / f'{name}.py'
    if not path.is_file():
        raise FileNotFoundError(f'expected {path}, found none; run from a checkout of the sources')
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f'expected a Python module at {path}')
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)  # one imports the other
    spec.loader.exec_module(module)
    return module


def compare_configs(args: argparse.Namespace, workload: Workload, plain: ModuleType) -> str:
    """Times an iteration of a config beside one or more of another one, in turn."""
    count, other = int(args.against[0]), dataclasses.replace(workload, config=args.against[1])
    one, several = (
        make_trainees(load, load.segmentor(), plain, VARIANTS[:1])[0] for load in (workload, other)
    )
    comparison = Comparison((Path(args.config).stem, f'{count} x {Path(args.against[1]).stem}'))

    def seconds_of(trainee: Trainee, times: int) -> dict[str, float]:
        return {'iteration': sum(sum(trainee.iterate()[1].values()) for _ in range(times))}

    for repeat in range(args.repeats + 1):
        say_progress(f'{repeat}/{args.repeats}')
        calls = [(one, 1), (several, count)]
        found = {call[0]: seconds_of(*call) for call in (calls if repeat % 2 else calls[::-1])}
        if repeat:
            comparison.add(found[one], found[several])
    return comparison.markdown()


def compare_memory(arguments: Sequence[str], variants: Sequence[str]) -> Comparison:
    """Measures peak memory, each variant in a process of its own.

    To be called before this process trains: a child inherits the peak of its parent.
    """
    script, peaks = str(Path(__file__).resolve()), []
    for variant in variants:
        say_progress(f'memory of the {variant}')
        line = measure_in_own_process([script, *arguments, '--peak-of', variant])
        peaks.append({'peak memory of training': float(line)})
    comparison = Comparison()
    comparison.add(*peaks)
    return comparison


def measure(args: argparse.Namespace) -> str:
    """Measures what the command line asks for.

    Args:
        args: Result of :func:`parse_args`.

    Returns:
        The report in Markdown.
    """
    workload = prepare(args)
    plain = load_plain(workload.segmentor())
    report = (
        f'{report_head("benchmark.py", args.arguments, args.threads, args.device)}'
        f'Workload: {workload}; median of {args.repeats} repeats'
    )
    if args.against:
        return f'{report}\n\n{compare_configs(args, workload, plain)}\n'
    notes, tables = measure_parts(args, workload, plain)
    return '\n\n'.join(['  \n'.join([report, *notes]), *tables]) + '\n'


def measure_parts(
    args: argparse.Namespace, workload: Workload, plain: ModuleType
) -> tuple[list[str], list[str]]:
    """Measures the parts that the command line names.

    Returns:
        Lines on what was compared, and tables.
    """
    segmentor = workload.segmentor()
    missing = plain.not_formulated(segmentor)
    notes = [f'Measured alone: {", ".join(missing)} has no plain formulation'] if missing else []
    variants = VARIANTS[:1] if args.alone or missing else VARIANTS
    last = []
    if 'memory' in args.parts:
        last.append(compare_memory(args.arguments, variants).markdown('MB'))
    trainees = make_trainees(workload, segmentor, plain, variants)
    comparison, limit = Comparison(), []
    if 'iteration' in args.parts:
        difference = compare_iterations(comparison, trainees, args.repeats)
        if len(trainees) > 1:
            notes.append(f'Largest relative difference of the losses: {difference:.1e}')
    if 'limit' in args.parts:
        known = {part: seconds for part, seconds, *_ in comparison.rows()}
        say_progress('the limit of each operator')
        limit = [limit_tables(trainees[0], known or trainees[0].iterate()[1])]
    if 'refinement' in args.parts:
        compare_refinements(comparison, trainees, plain, args.repeats)
    if 'products' in args.parts:
        last.insert(0, compare_products(trainees).markdown('GFLOP'))
    if 'evaluation' in args.parts:
        compare_evaluation(comparison, trainees, plain, args.repeats)
    return notes, [comparison.markdown()] * bool(comparison.rows()) + limit + last


def prepare(args: argparse.Namespace) -> Workload:
    """Sets up this process and says what is measured in it."""
    torch.set_num_threads(args.threads)
    # Both variants in full float32, or their losses differ.
    torch.backends.cudnn.allow_tf32 = False
    local_size = args.local_size or default_local_size(args.size)
    config = args.config if Path(args.config).is_file() else str(_ROOT / args.config)
    return Workload(
        config, args.model, args.size, local_size, args.batch_size, args.device, args.seed
    )


def make_trainees(
    workload: Workload, segmentor: Any, plain: ModuleType, variants: Sequence[str]
) -> list[Trainee]:
    """One trainee per variant, with equal weights."""
    batch = workload.batch(segmentor)
    return [
        Trainee(name, segmentor, *batch, plain.training_losses, workload.device)
        for name in variants
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures as the command line says.

    Args:
        arguments: Default: those of the process.

    Returns:
        0, or 1 after an error.
    """
    args = parse_args(arguments)
    if args.peak_of:
        workload = prepare(args)
        segmentor = workload.segmentor()
        (trainee,) = make_trainees(workload, segmentor, load_plain(segmentor), [args.peak_of])
        for _ in range(_ITERATIONS_FOR_MEMORY):
            trainee.iterate()
        print(f'{peak_memory(args.device):.0f}')
        return 0
    try:
        publish(measure(args), args.out)
    except (ValueError, OSError, RuntimeError) as error:
        print(f'benchmark: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
