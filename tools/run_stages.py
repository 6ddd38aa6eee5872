"""Runs the stages of a method: python tools/run_stages.py configs/stages/shapes.py.

Trainings, exports of labels and tests stand in the config, each with what it reads of earlier ones.
What is done is not run again; what was interrupted or killed goes on by the same command. A stage
whose settings or inputs have changed is run anew, and its former folder is kept under another name.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.stages import StageRunner, read_stages, status_table
from wsss_plugin.errors import ConfigError, listed

TOOLS = Path(__file__).resolve().parent


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', type=Path, help='config with stages')
    parser.add_argument(
        '--work-dir', type=Path, help='folder of the stages; default: work_dirs/stages/<config>'
    )
    parser.add_argument('--status', action='store_true', help='show a table, run nothing')
    parser.add_argument('--from', dest='first', metavar='STAGE', help='leave out those before')
    parser.add_argument('--until', dest='last', metavar='STAGE', help='leave out those after')
    parser.add_argument(
        '--redo', nargs='+', default=[], metavar='STAGE', help='run these although they are done'
    )
    parser.add_argument(
        '--processes',
        type=int,
        default=max(1, torch.cuda.device_count()),
        help='of each training, export and test; default: the number of GPUs, or 1',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='key=value pairs for the config of a stage, each key behind the name of the stage: '
        'segmentor.train_cfg.max_iters=100',
    )
    args = parser.parse_args(arguments)
    if args.processes < 1:
        parser.error(f'expected --processes of at least 1, received {args.processes}')
    return args


def chosen_stages(names: Sequence[str], args: argparse.Namespace) -> list[str]:
    """The stages that the command line lets run.

    Args:
        names: All stages in their order.
        args: The command line.

    Returns:
        Their names in order.

    Raises:
        ConfigError: If the command line names others, or leaves none.
    """
    for name in (args.first, args.last, *args.redo):
        if name is not None and name not in names:
            raise ConfigError(f'expected one of the stages {listed(names)}, received {name!r}')
    first = 0 if args.first is None else names.index(args.first)
    last = len(names) if args.last is None else names.index(args.last) + 1
    chosen = list(names[first:last])
    for name in args.redo:
        if name not in chosen:
            raise ConfigError(
                f'expected --redo among the stages from --from to --until '
                f'({listed(chosen) or "none"}), received {name!r}'
            )
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the stages, or shows them, as the command line says."""
    args = parse_args(arguments)
    work_dir = args.work_dir or Path('work_dirs', 'stages', args.config.stem)
    options: Mapping[str, Any] = args.cfg_options
    stages = read_stages(args.config, work_dir, options)
    chosen = chosen_stages(list(stages), args)
    runner = StageRunner(stages, work_dir, TOOLS, args.processes)
    if args.status:
        print(status_table(runner.states(), runner.program))
    else:
        runner.run(chosen, args.redo)


if __name__ == '__main__':
    run_tool(main, 'finished stages and what the last one has saved; the same command goes on')
