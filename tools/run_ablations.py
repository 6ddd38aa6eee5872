"""Trains and tests configs with several seeds, and tabulates the scores in Markdown.

Called again it skips what is finished and continues what is not:

    python tools/run_ablations.py configs/ablations/shapes/*.py --seeds 0 1 2 --jobs 2
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from mmengine.config import DictAction

from wsss_plugin.engine.ablation import Row, Run, RunExecutor, plan_rows, report
from wsss_plugin.engine.command_line import run_tool

TOOLS = Path(__file__).resolve().parent
REFERENCE = 'supervised_shapes'
WORK_DIR = Path('work_dirs/ablations')
HEARTBEAT = 60  # seconds between two lines of progress


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+', type=Path, help='config files, one row each')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument('--jobs', type=int, default=1, help='runs at the same time')
    parser.add_argument('--threads', type=int, help='threads of a run; default: cores / jobs')
    parser.add_argument('--work-dir', type=Path, default=WORK_DIR, help='folder of the runs')
    parser.add_argument(
        '--records',
        type=Path,
        help='folder that keeps the figures of finished runs, a small file each; what is recorded '
        'there is not run again, so that tables can grow on several machines; figures from before '
        'a config changed are shown as old until it has been run again',
    )
    parser.add_argument('--out', type=Path, help='table; default: table.md in --work-dir')
    parser.add_argument(
        '--reference', default=REFERENCE, help='name of the config of full supervision'
    )
    parser.add_argument(
        '--multi-scale',
        action='store_true',
        help='test a second time: several scales and flip, without and with CRF',
    )
    parser.add_argument(
        '--report-only', action='store_true', help='tabulate what is finished, run nothing'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='key=value pairs that replace values of every config',
    )
    args = parser.parse_args(arguments)
    if args.jobs < 1 or (args.threads is not None and args.threads < 1):
        parser.error('expected --jobs and --threads of at least 1')
    missing = [str(path) for path in args.configs if not path.is_file()]
    if missing:
        parser.error(f'expected config files, received {missing}, which do not exist')
    if args.out is None:
        args.out = args.work_dir / 'table.md'
    if args.threads is None:
        args.threads = max(1, (os.cpu_count() or 1) // args.jobs)
    return args


def execute_all(rows: Sequence[Row], args: argparse.Namespace) -> list[RuntimeError]:
    """Executes what is not finished, several runs at a time; a failed run does not stop others.

    Args:
        rows: The rows of the table.
        args: The command line.

    Returns:
        The failures.
    """
    runs = list(dict.fromkeys(run for row in rows for run in row.runs))
    open_runs = [run for run in runs if not run.done]
    _say(f'{len(runs)} runs, {len(runs) - len(open_runs)} finished before')
    failures: list[RuntimeError] = []
    start = time.monotonic()
    executor = RunExecutor(TOOLS, args.threads)
    pool = ThreadPoolExecutor(args.jobs)

    def stop(number: int, _frame: object) -> None:
        # Ctrl-C reaches the processes by itself.
        executor.stop()
        raise SystemExit(128 + number)

    handler = signal.signal(signal.SIGTERM, stop)
    try:
        waiting = {pool.submit(executor.execute, run): run for run in open_runs}
        finished = 0
        while waiting:
            ended, _ = wait(waiting, HEARTBEAT, FIRST_COMPLETED)
            if not ended:
                _say(_running(waiting))
            for future in ended:
                run, error = waiting.pop(future), future.exception()
                finished += 1
                minutes = (time.monotonic() - start) / 60
                left = minutes / finished * len(waiting)
                text = (
                    f'failed: {error}' if error else f'mIoU {run.result.metrics.get("mIoU", 0):.2f}'
                )
                _say(
                    f'[{finished}/{len(open_runs)}] {run.name}: {text} '
                    f'({minutes:.0f} min passed, about {left:.0f} left)'
                )
                if isinstance(error, RuntimeError):
                    failures.append(error)
                elif error:
                    raise error
                else:
                    write_report(rows, args)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        signal.signal(signal.SIGTERM, handler)
    return failures


def _say(text: str) -> None:
    print(f'run_ablations: {text}', flush=True)


def _running(waiting: Mapping[Future, Run]) -> str:
    """The iteration of every run that has begun."""
    texts = [
        f'{run.name} at {run.reached}/{run.iterations}'
        for future, run in waiting.items()
        if future.running() and run.reached
    ]
    return '; '.join(texts) or 'starting'


def write_report(rows: Sequence[Row], args: argparse.Namespace) -> None:
    """Writes the tables.

    Args:
        rows: The rows of the table.
        args: The command line.
    """
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_suffix('.part')
    text = report(rows, args.out.stem, command_line(args), args.seeds, args.reference)
    part.write_text(text, encoding='utf-8')
    part.replace(args.out)


def command_line(args: argparse.Namespace) -> str:
    """The command that makes the report, its rows in the same order.

    Args:
        args: The command line.

    Returns:
        The command; files of a whole folder in their order are a pattern.
    """
    texts, paths = [], list(args.configs)
    while paths:
        files = sorted(paths[0].parent.glob('*.py'))
        if paths[: len(files)] == files:
            texts.append(f'{paths[0].parent}/*.py')
            del paths[: len(files)]
        else:
            texts.append(str(paths.pop(0)))
    seeds = ' '.join(str(seed) for seed in args.seeds)
    command = f'python tools/run_ablations.py {" ".join(texts)} --seeds {seeds} --jobs {args.jobs}'
    command += f' --threads {args.threads}'
    if args.work_dir != WORK_DIR:
        command += f' --work-dir {shlex.quote(str(args.work_dir))}'
    if args.records is not None:
        command += f' --records {shlex.quote(str(args.records))}'
    command += f' --out {shlex.quote(str(args.out))}'
    if args.multi_scale:
        command += ' --multi-scale'
    if args.reference != REFERENCE:
        command += f' --reference {args.reference}'
    if args.cfg_options:
        pairs = (f'{key}={str(value).replace(" ", "")}' for key, value in args.cfg_options.items())
        command += ' --cfg-options ' + ' '.join(shlex.quote(pair) for pair in pairs)
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs and tabulates as the command line says."""
    args = parse_args(arguments)
    rows = plan_rows(
        args.configs, args.seeds, args.work_dir, args.cfg_options, args.multi_scale, args.records
    )
    failures = [] if args.report_only else execute_all(rows, args)
    write_report(rows, args)
    _say(f'table in {args.out}')
    if failures:
        _say(f'{len(failures)} runs failed; call it again to continue them')
    return int(bool(failures))


if __name__ == '__main__':
    run_tool(
        main,
        'finished runs and the checkpoints of the last one; the same command goes on',
        gives_code=True,
    )
