"""Evaluates a checkpoint: python tools/test.py CONFIG CHECKPOINT."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.logging import print_log

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.quiet_runner import QuietRunner
from wsss_plugin.engine.run_config import load_config, use_final_threshold
from wsss_plugin.engine.score_rows import score_rows, score_table, two_tests
from wsss_plugin.engine.scored_split import score_split
from wsss_plugin.engine.scoring_config import enable_crf, enable_drawing, enable_tta
from wsss_plugin.whole_file import write_json


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        argparse.Namespace: One attribute per argument.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir',
        help="folder of the logs and of the config as it was tested; default: 'test' in that of "
        'the training',
    )
    parser.add_argument('--out', metavar='FILE', help='JSON file for the metrics')
    parser.add_argument('--show-dir', help='folder for pictures of the predictions')
    parser.add_argument(
        '--all',
        action='store_true',
        help='one scale, several scales, and several scales with CRF, as rows of one table',
    )
    parser.add_argument('--tta', action='store_true', help='several scales and flip')
    parser.add_argument('--crf', action='store_true', help='refine by a dense CRF before scoring')
    parser.add_argument('--crf-workers', type=int, help='processes that run the CRF')
    parser.add_argument(
        '--cam', action='store_true', help='score class activation maps too; they use the tags'
    )
    parser.add_argument(
        '--labels', action='store_true', help='score pseudo labels too; they use the tags'
    )
    parser.add_argument(
        '--split',
        choices=['train', 'val', 'test'],
        default='test',
        help='dataloader of the images to score, which need masks; default: test',
    )
    parser.add_argument('--num', type=int, help='images at most, spread over the data set')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='key=value pairs that replace values of the config',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    parsed = parser.parse_args(arguments)
    if parsed.num is not None and parsed.num < 1:
        parser.error(f'expected --num >= 1, received {parsed.num}')
    others = [name for name in ('tta', 'crf', 'cam', 'labels') if getattr(parsed, name)]
    if parsed.all and others:
        parser.error(
            f'expected --all or --{others[0]}, received both: --all scores the segmentation with '
            'and without several scales and CRF; test twice'
        )
    if parsed.labels and parsed.tta:
        parser.error('expected --labels or --tta, received both; test twice')
    if parsed.cam and parsed.tta:
        parser.error(
            'expected --cam or --tta, received both: a CAM is made of several scales and flips by '
            'itself; test twice'
        )
    os.environ.setdefault('LOCAL_RANK', str(parsed.local_rank))
    return parsed


def build_config(args: argparse.Namespace) -> Config:
    """Applies the command line to the config.

    Args:
        args (argparse.Namespace): Result of :func:`parse_args`.

    Returns:
        Config: Ready for ``Runner.from_cfg``; with ``--all``, for :func:`two_tests`.
    """
    config = load_config(args.config, args.work_dir, args.cfg_options, args.launcher)
    if args.work_dir is None:
        # The runner writes its config there, over the one that the training left.
        config.work_dir = str(Path(config.work_dir, 'test'))
    config.load_from = args.checkpoint
    config.resume = False  # the config that a resumed training leaves behind says otherwise
    if args.cam or args.labels:
        config.model.setdefault('test_cfg', {})
    if args.cam:
        config.model.test_cfg['cam'] = True
    if args.labels:
        config.model.test_cfg['pseudo_label'] = True
        use_final_threshold(config)
    if args.split != 'test' or args.num is not None:
        score_split(config, args.split, args.num)
    if args.all:
        return config
    if args.tta:
        enable_tta(config)
    if args.crf or args.crf_workers is not None:
        enable_crf(config, args.crf_workers)
    if args.show_dir:
        enable_drawing(config, args.show_dir)
    return config


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluates as the command line says.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.
    """
    args = parse_args(arguments)
    config = build_config(args)
    scores = _all_scores(config, args) if args.all else _scores(config)
    if args.out and is_main_process():
        write_json(args.out, scores)


def _scores(config: Config) -> dict[str, float | None]:
    metrics = QuietRunner.from_cfg(config).test()
    # JSON has no NaN, the mean over classes of which none counts.
    return {name: float(v) if math.isfinite(v) else None for name, v in metrics.items()}


def _all_scores(config: Config, args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    tests = two_tests(config, args.crf_workers, args.show_dir)
    metrics = {name: QuietRunner.from_cfg(test).test() for name, test in tests.items()}
    rows = score_rows(tests, metrics)
    print_log(f'\nscores of {args.checkpoint}, in %:\n{score_table(rows)}', logger='current')
    return {name: row.as_json() for name, row in rows.items()}


if __name__ == '__main__':
    run_tool(main, 'no metrics were written')
