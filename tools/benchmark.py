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
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.cam_fields import cam_field
from wsss_plugin.engine.benchmark import (
    VARIANTS,
    Comparison,
    PartTimer,
    Trainee,
    Workload,
    limit_tables,
)
from wsss_plugin.engine.machine import describe_machine

_ROOT = Path(__file__).resolve().parents[1]
_PARTS = ('iteration', 'limit', 'products', 'refinement', 'evaluation', 'memory')
_PLAIN = ('plain_formulations', 'plain_class_tokens')
_TOLERANCE = 1e-3
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


def largest_difference(values: Mapping[str, float], others: Mapping[str, float]) -> float:
    """Largest relative difference of losses.

    Raises:
        ValueError: If the losses have other names or differ by more than the tolerance.
    """
    if values.keys() != others.keys():
        raise ValueError(
            f'expected the same losses of both variants, received {sorted(values)} and '
            f'{sorted(others)}; bring tests/plain_formulations.py up to date, or measure --alone'
        )
    difference = max(abs(values[k] - others[k]) / max(abs(others[k]), 1e-3) for k in values)
    if not difference <= _TOLERANCE:
        raise ValueError(
            f'expected equal losses of both variants, received {values} and {others}; a time is '
            'only worth comparing where the results agree: bring tests/plain_formulations.py up to '
            'date, or measure --alone'
        )
    return difference


def compare_iterations(comparison: Comparison, trainees: Sequence[Trainee], repeats: int) -> float:
    """Times training iterations; the first of each, which is not counted, is compared.

    Returns:
        The largest relative difference of the losses; 0 where only one is measured.
    """
    first = [trainee.iterate()[0] for trainee in trainees]
    difference = largest_difference(first[0], first[-1])
    for repeat in range(repeats):
        _progress(f'iteration {repeat + 1}/{repeats}')
        # Who goes first changes, so that neither always finds the caches warm.
        order = trainees if repeat % 2 else trainees[::-1]
        seconds = {trainee.variant: trainee.iterate()[1] for trainee in order}
        for parts in seconds.values():
            parts['**iteration**'] = sum(parts.values())
        comparison.add(seconds['package'], seconds.get('plain'))
    return difference


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
        _progress(f'{repeat}/{args.repeats}')
        calls = [(one, 1), (several, count)]
        found = {call[0]: seconds_of(*call) for call in (calls if repeat % 2 else calls[::-1])}
        if repeat:
            comparison.add(found[one], found[several])
    return comparison.markdown()


def compare_calls(
    comparison: Comparison, name: str, functions: Sequence[Callable], repeats: int, device: str
) -> None:
    """Times functions in turn after one call each that is not counted."""
    for repeat in range(repeats + 1):
        _progress(f'{name} {repeat}/{repeats}')
        timer = PartTimer(device)
        order = list(zip(VARIANTS, functions, strict=False))
        for variant, function in order if repeat % 2 else order[::-1]:
            with timer.part(variant):
                function()
        if repeat:
            costs = [{name: timer.seconds[variant]} for variant, _ in order]
            comparison.add(*costs)


def compare_refinements(
    comparison: Comparison, trainees: Sequence[Trainee], plain: ModuleType, repeats: int
) -> None:
    """Times each maker's refinement of a batch at half size, for two backgrounds, two classes."""
    image = next(iter(trainees[0].inputs.values()))
    image = F.interpolate(image, scale_factor=0.5).sigmoid()
    masks = torch.rand(len(image), 3, *image.shape[-2:], device=image.device)
    makers = trainees[0].segmentor.labels.items()
    found = {name: maker.refine for name, maker in makers if getattr(maker, 'refine', None)}
    for name, refine in found.items():

        def refined(refine: Callable = refine) -> Tensor:
            return refine(image, torch.cat((masks, masks), dim=1))

        def refined_plainly(par: Any = refine) -> Tensor:
            images = zip(image.split(1), masks.split(1), strict=True)
            found = [
                torch.cat([plain.par(*pair, par.num_iter, par.dilations) for _ in range(2)], dim=1)
                for pair in images
            ]
            return torch.cat(found)

        functions = [refined, refined_plainly][: len(trainees)]
        if len(functions) > 1:
            torch.testing.assert_close(refined(), refined_plainly(), rtol=_TOLERANCE, atol=1e-4)
        title = f'labels.{name}.refine of the batch'
        compare_calls(comparison, title, functions, repeats, str(image.device))


def compare_evaluation(
    comparison: Comparison, trainees: Sequence[Trainee], plain: ModuleType, repeats: int
) -> None:
    """Times segmentation and CAMs of one image."""
    package, other = (trainee.segmentor.eval() for trainee in (trainees[0], trainees[-1]))
    other.load_state_dict(package.state_dict())
    inputs = trainees[0].inputs[package.main_view][:1]
    samples = trainees[0].samples[:1]
    tags = samples[0].gt_tags[None]

    @torch.no_grad()
    def predict() -> Any:
        return package.predict(inputs, samples)[0]

    def predict_plainly() -> tuple[Tensor, dict[str, Tensor]]:
        return plain.predict(other, inputs, tags)

    functions = [predict, predict_plainly][: len(trainees)]
    if len(functions) > 1:
        scores, sample = predict_plainly()[1], predict()
        for name in package.cam_names:
            given = sample.get(cam_field(name)).score
            torch.testing.assert_close(given, scores[name], rtol=0, atol=_TOLERANCE)
    compare_calls(comparison, 'evaluation of an image', functions, repeats, str(inputs.device))


def compare_products(trainees: Sequence[Trainee]) -> Comparison:
    """Counts the products of an iteration."""
    _progress('products')
    comparison = Comparison()
    name = 'products of an iteration'
    comparison.add(*({name: trainee.products() / 1e9} for trainee in trainees))
    return comparison


def peak_memory(trainee: Trainee) -> float:
    """Peak memory of training in MB: of the GPU, or of this process where there is none."""
    for _ in range(_ITERATIONS_FOR_MEMORY):
        trainee.iterate()
    device = trainee.timer.device
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def compare_memory(arguments: Sequence[str], variants: Sequence[str]) -> Comparison:
    """Measures peak memory, each variant in a process of its own.

    To be called before this process trains: a child inherits the peak of its parent.
    """
    peaks = []
    for variant in variants:
        _progress(f'memory of the {variant}')
        command = [sys.executable, str(Path(__file__).resolve()), *arguments, '--peak-of', variant]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f'expected a measurement from {command}, received {done.stderr}')
        peaks.append({'peak memory of training': float(done.stdout.split()[-1])})
    comparison = Comparison()
    comparison.add(*peaks)
    return comparison


def _progress(text: str) -> None:
    print(f'benchmark: {text}', file=sys.stderr, flush=True)


def measure(args: argparse.Namespace) -> str:
    """Measures what the command line asks for.

    Args:
        args: Result of :func:`parse_args`.

    Returns:
        The report in Markdown.
    """
    workload = prepare(args)
    segmentor = workload.segmentor()
    plain = load_plain(segmentor)
    report = report_head(args, workload)
    if args.against:
        return '  \n'.join(report) + '\n\n' + compare_configs(args, workload, plain) + '\n'
    missing = plain.not_formulated(segmentor)
    variants = VARIANTS[:1] if args.alone or missing else VARIANTS
    memory = compare_memory(args.arguments, variants) if 'memory' in args.parts else None
    trainees = make_trainees(workload, segmentor, plain, variants)
    if missing:
        report.append(f'Measured alone: {", ".join(missing)} has no plain formulation')
    comparison = Comparison()
    if 'iteration' in args.parts:
        difference = compare_iterations(comparison, trainees, args.repeats)
        if len(trainees) > 1:
            report.append(f'Largest relative difference of the losses: {difference:.1e}')
    limit = ''
    if 'limit' in args.parts:
        known = {part: seconds for part, seconds, *_ in comparison.rows()}
        _progress('the limit of each operator')
        limit = limit_tables(trainees[0], known or trainees[0].iterate()[1])
    if 'refinement' in args.parts:
        compare_refinements(comparison, trainees, plain, args.repeats)
    products = compare_products(trainees) if 'products' in args.parts else None
    if 'evaluation' in args.parts:
        compare_evaluation(comparison, trainees, plain, args.repeats)
    tables = [comparison.markdown()] if comparison.rows() else []
    tables += [limit] if limit else []
    tables += [] if products is None else [products.markdown('GFLOP')]
    tables += [] if memory is None else [memory.markdown('MB')]
    return '\n\n'.join(['  \n'.join(report), *tables]) + '\n'


def report_head(args: argparse.Namespace, workload: Workload) -> list[str]:
    """What was measured where, and by which command."""
    return [
        f'Hardware: {describe_machine(args.threads)}; device {args.device}',
        f'Command: `python tools/benchmark.py {shlex.join(args.arguments)}`',
        f'Workload: {workload}; median of {args.repeats} repeats',
    ]


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
        print(f'{peak_memory(trainee):.0f}')
        return 0
    try:
        report = measure(args)
    except (ValueError, OSError, RuntimeError) as error:
        print(f'benchmark: {error}', file=sys.stderr)
        return 1
    print(report)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(report, encoding='utf-8')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
