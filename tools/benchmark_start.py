"""Times a training from its command to the log line of its first iteration.

    python tools/benchmark_start.py configs/dual_vit_r18_shapes.py

Runs ``tools/train.py`` with the config and the options in a work folder that is deleted, and ends
it after its first iteration, as often as asked. Files are in the system's cache from the second
time on; the first is shown beside the median of the others.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch

from wsss_plugin.engine.benchmark import publish, report_head, say_progress
from wsss_plugin.engine.command_line import run_tool

_TRAIN = Path(__file__).resolve().parent / 'train.py'


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--cfg-options', nargs='+', default=[], help='as of tools/train.py')
    parser.add_argument('--repeats', type=int, default=5, help='starts after the first')
    parser.add_argument('--out', type=Path, metavar='FILE', help='Markdown file for the table')
    args = parser.parse_args(arguments)
    if args.repeats < 1:
        parser.error(f'expected --repeats of at least 1, received {args.repeats}')
    args.arguments = list(sys.argv[1:] if arguments is None else arguments)
    return args


def seconds_to_first_iteration(command: Sequence[str]) -> float:
    """Runs a training until it logs its first iteration.

    Args:
        command: The command.

    Returns:
        Seconds.

    Raises:
        RuntimeError: If it ends before.
    """
    start, seen = time.perf_counter(), []
    environment = dict(os.environ, PYTHONUNBUFFERED='1')
    streams = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with subprocess.Popen(command, text=True, env=environment, **streams) as process:  # type: ignore[call-overload]
        try:
            for line in process.stdout:
                seen.append(line)
                if 'loss' in line and 'Iter(train)' in line:
                    return time.perf_counter() - start
        finally:
            process.kill()
    raise RuntimeError(
        f'expected a log line of a first iteration from {command}, received {"".join(seen[-20:])}'
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args, found = parse_args(arguments), []
    for repeat in range(args.repeats + 1):
        say_progress(f'start {repeat}/{args.repeats}')
        with TemporaryDirectory() as folder:
            command = [sys.executable, str(_TRAIN), args.config, '--work-dir', folder]
            options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
            found.append(seconds_to_first_iteration([*command, *options]))
    publish(
        f'{report_head("benchmark_start.py", args.arguments, torch.get_num_threads())}\n'
        '| from command to first iteration | [s] |\n|---|---:|\n'
        f'| first start | {found[0]:.1f} |\n'
        f'| median of {args.repeats} more | {median(found[1:]):.1f} |\n',
        args.out,
    )


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
