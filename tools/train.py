"""Trains a segmentor: python tools/train.py CONFIG."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.config_reading.training_steps import check_schedules, check_steps
from wsss_plugin.engine.hooks import ProgressKeeper
from wsss_plugin.engine.label_weights import check_label_weights
from wsss_plugin.engine.quiet_runner import QuietRunner
from wsss_plugin.engine.run_config import (
    check_weights,
    enable_amp,
    load_config,
    set_resume,
    skip_validation_without_masks,
)
from wsss_plugin.engine.watching import draw_panels, log_to_tensorboard, switch_validation_off


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        argparse.Namespace: One attribute per argument.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and checkpoints')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from a checkpoint, without a path (or "auto") from the latest in the work '
        'folder',
    )
    parser.add_argument('--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--no-validation', action='store_true', help='no validation, also at the end'
    )
    parser.add_argument(
        '--panels',
        nargs='?',
        type=int,
        const=4,
        metavar='NUM',
        help='draw so many images of the validation set, five times; default: 4',
    )
    parser.add_argument(
        '--tensorboard', action='store_true', help='write curves and panels for TensorBoard too'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='key=value pairs that replace values of the config, for example '
        'max_iters=100, with which all steps move, or key="[(a,b),(c,d)]" without blanks',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    parsed = parser.parse_args(arguments)
    os.environ.setdefault('LOCAL_RANK', str(parsed.local_rank))
    return parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains as the command line says.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.
    """
    args = parse_args(arguments)
    config = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    if args.amp:
        enable_amp(config)
    set_resume(config, args.resume)
    check_schedules(config)
    check_steps(config)
    check_weights(config.model)
    check_label_weights(config)
    if args.panels is not None:
        draw_panels(config, args.panels)
    if args.tensorboard:
        log_to_tensorboard(config)
    if args.no_validation:
        switch_validation_off(config)
    else:
        skip_validation_without_masks(config)
    runner = QuietRunner.from_cfg(config)
    with ProgressKeeper.attached(runner):
        runner.train()


if __name__ == '__main__':
    run_tool(main, 'nothing was saved; earlier checkpoints are kept')
