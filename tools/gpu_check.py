"""Learns in eight minutes what a GPU is good for here: python tools/gpu_check.py OUT.

Parts run in the order of their worth, each with a time of its own: the tests marked gpu; a
benchmark in bfloat16 and float32 with its memory; the dual branch with ViT-B at 448 pixels; 200
steps in bfloat16 beside float32; a training by dist_train.sh, one process, with NCCL; other
precisions. OUT gets report.md and results.json after each part, so that what is cut short has its
results. With --cpu all parts run in tiny sizes on a CPU, as a rehearsal.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import ShapesConfig, ShapesGenerator
from wsss_plugin.engine.benchmark import Workload
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.device_check import CheckPart, compare_steps, measure_training, run_parts
from wsss_plugin.engine.machine import describe_machine
from wsss_plugin.errors import ConfigError
from wsss_plugin.whole_file import write_json

_ROOT = Path(__file__).resolve().parents[1]
_SECONDS = {'tests': 120, 'benchmark': 90, 'vit_b': 90, 'steps': 90, 'processes': 60, 'others': 60}
_TOCO = 'configs/_base_/models/toco_vit_b.py'
_DUAL = 'configs/_base_/models/dual_vit_r50.py'
_SMALL = 'configs/_base_/models/dual_deit_tiny_mobilenet.py'
_SHAPES = 'configs/dual_vit_r18_shapes.py'
_MEASURED = ('dtype', 'variant', 'seconds', 'images_per_second', 'peak_mb')


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
    parser.add_argument('out', type=Path, help='folder of the results')
    parser.add_argument('--cpu', action='store_true', help='rehearse in tiny sizes on a CPU')
    parser.add_argument('--seconds', type=float, default=480, help='of all parts; default: 480')
    parser.add_argument(
        '--parts', nargs='+', choices=list(_SECONDS), default=list(_SECONDS), help='default: all'
    )
    parser.add_argument('--only', choices=list(_SECONDS), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def workload(config: str, model: str, size: int, batch_size: int, cpu: bool) -> Workload:
    """Network and batch of a part, tiny on a CPU.

    Args:
        config: The config.
        model: Name of timm's transformer.
        size: Height and width in pixels.
        batch_size: Number of images.
        cpu: Whether this is a rehearsal.

    Returns:
        The workload.
    """
    if cpu:
        small = str(_ROOT / (_SMALL if config == _DUAL else config))
        return Workload(small, 'test_vit', 64, 32, 2, 'cpu', 0)
    config = str(_ROOT / config)
    return Workload(config, model, size, 96 if size >= 336 else 64, batch_size, 'cuda', 0)


def _costs(load: Workload, cases: Sequence[tuple[str, str]], cpu: bool, out: Path) -> None:
    rows: list[dict[str, Any]] = []
    for dtype, variant in cases:
        cost = measure_training(load, dtype, variant, _plain_losses(), 1 if cpu else 10)
        rows.append({'dtype': dtype, 'variant': variant, **cost})
        # At once: a case that does not fit into memory ends the process.
        write_json(out, {'workload': str(load), 'rows': rows})


def _benchmark(cpu: bool, out: Path) -> None:
    cases = [('bfloat16', 'package'), ('float32', 'package'), ('float32', 'plain')]
    cases += [('bfloat16', 'plain')]
    _costs(workload(_TOCO, 'deit_small_patch16_224', 224, 16, cpu), cases, cpu, out)


def _vit_b(cpu: bool, out: Path) -> None:
    load = workload(_DUAL, 'vit_base_patch16_224', 448, 4, cpu)
    _costs(load, [('bfloat16', 'package'), ('float32', 'package'), ('float32', 'plain')], cpu, out)


def _others(cpu: bool, out: Path) -> None:
    cases = [('tf32', 'package'), ('float16', 'package')]
    # A CPU has no TF32 and, for some operations, no float16.
    cases = [('tf32', 'package')] if cpu else cases
    _costs(workload(_TOCO, 'deit_small_patch16_224', 224, 16, cpu), cases, cpu, out)


def _steps(cpu: bool, out: Path) -> None:
    load = workload(_DUAL, 'deit_tiny_patch16_224', 224, 4, cpu)
    found = compare_steps(load, _plain_losses(), 3 if cpu else 200, ('float32', 'bfloat16'))
    write_json(out, {'workload': str(load), **found})


def _plain_losses() -> Callable[..., Any]:
    sys.path.insert(0, str(_ROOT / 'tests'))
    import plain_formulations

    return plain_formulations.training_losses


_PARTS: dict[str, Callable[[bool, Path], None]] = {
    'benchmark': _benchmark,
    'vit_b': _vit_b,
    'steps': _steps,
    'others': _others,
}


def commands(args: argparse.Namespace) -> list[CheckPart]:
    """The parts that are asked for.

    Args:
        args: The command line.

    Returns:
        The parts in their order.
    """
    environment = {'PYTHON': sys.executable, 'PYTHONPATH': _python_path()}
    if args.cpu:
        environment['CUDA_VISIBLE_DEVICES'] = ''
    files = [
        path for path in (_ROOT / 'tests').rglob('test_*.py') if 'mark.gpu' in path.read_text()
    ]
    made: dict[str, list[str]] = {
        'tests': [sys.executable, '-m', 'pytest', '-q', '-m', 'gpu', *map(str, sorted(files))],
        'processes': _training(args),
    }
    itself = [sys.executable, str(Path(__file__).resolve()), str(args.out)]
    for name in _PARTS:
        made[name] = [*itself, '--only', name, *(['--cpu'] if args.cpu else [])]
    chosen = [name for name in _SECONDS if name in args.parts]
    # A CPU that is shared is slower than any GPU.
    patience = 3 if args.cpu else 1
    return [CheckPart(name, made[name], patience * _SECONDS[name], environment) for name in chosen]


def _python_path() -> str:
    return os.pathsep.join(filter(None, (str(_ROOT), os.environ.get('PYTHONPATH', ''))))


def _training(args: argparse.Namespace) -> list[str]:
    steps = 2 if args.cpu else 50
    options = [f'{split}_dataloader.dataset.data_root={_data(args)}' for split in ('train', 'val')]
    options += [f'train_cfg.max_iters={steps}', f'train_cfg.val_interval={10 * steps}']
    options += ['default_hooks.logger.interval=1', 'model.terms.seg.start=1']
    command = ['bash', str(_ROOT / 'tools' / 'dist_train.sh'), str(_ROOT / _SHAPES), '1']
    return [*command, '--work-dir', str(args.out / 'work'), '--cfg-options', *options]


def _data(args: argparse.Namespace) -> Path:
    return args.out.resolve() / 'shapes'


def report(found: Sequence[Mapping[str, Any]]) -> str:
    """The results so far.

    Args:
        found: What each part has found.

    Returns:
        Markdown.
    """
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'
    lines = [f'Hardware: {describe_machine(torch.get_num_threads())}; {gpu}', '']
    lines += ['| part | state | seconds |', '|---|---|---:|']
    lines += [f'| {one["part"]} | {one["state"]} | {one["seconds"]:.0f} |' for one in found]
    for one in found:
        lines += _section(one)
    return '\n'.join(lines) + '\n'


def _section(one: Mapping[str, Any]) -> list[str]:
    results = one['results']
    lines = ['', f'## {one["part"]}', '', *(f'    {line}' for line in one.get('lines', ()))]
    lines += [results['workload'], ''] if 'workload' in results else []
    if 'rows' in results:
        lines += ['| precision | formulation | s / iteration | images / s | peak [MB] |']
        lines += ['|---|---|---:|---:|---:|']
        for row in results['rows']:
            cells = (
                f'{row[name]:.4g}' if name in _MEASURED[2:] else row[name] for name in _MEASURED
            )
            lines.append(f'| {" | ".join(cells)} |')
    if 'last' in results:
        lines += ['| precision | mean loss, first 20 steps | last 20 steps |', '|---|---:|---:|']
        for dtype, last in results['last'].items():
            lines.append(f'| {dtype} | {results["first"][dtype]:.4g} | {last:.4g} |')
        lines += ['', f'Relative difference at the end: {results["relative_difference"]:.2g}']
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks as the command line says.

    Args:
        arguments: Default: those of the process.

    Returns:
        0, or 1 if a part did not end well.

    Raises:
        ConfigError: If there is no GPU and no rehearsal is asked for.
    """
    args = parse_args(arguments)
    if not args.cpu and not torch.cuda.is_available():
        raise ConfigError('expected a GPU, found none; rehearse on a CPU by --cpu')
    if args.only:
        _PARTS[args.only](args.cpu, args.out / f'{args.only}.json')
        return 0
    if 'processes' in args.parts and not _data(args).is_dir():
        ShapesGenerator(ShapesConfig(train=8, val=2)).write(_data(args))
    found = run_parts(commands(args), args.out, args.seconds, report)
    print(args.out / 'report.md')
    return int(any(one['state'] != 'done' for one in found))


if __name__ == '__main__':
    run_tool(main, 'the parts that have ended are in report.md', True)
