"""Writes one HTML page about a training: python tools/report.py RUN.

RUN is the work folder. The page has curves, scores, pictures, settings and versions, and needs no
other file. What the folder does not hold is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.run_report import write_report


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
    parser.add_argument('run', help='work folder of a training')
    parser.add_argument('--out', metavar='FILE', help='the page; default: report.html in RUN')
    parser.add_argument('--checkpoint', help='default: the latest complete one in RUN')
    parser.add_argument(
        '--num',
        type=int,
        default=100,
        help='images to score, spread over the test set; 0 for none; default: 100',
    )
    parser.add_argument(
        '--compare',
        metavar='RUN',
        help='another work folder, whose over-activation is drawn beside that of RUN',
    )
    args = parser.parse_args(arguments)
    if args.num < 0:
        parser.error(f'expected --num >= 0, received {args.num}')
    return args


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the page as the command line says.

    Args:
        arguments: Default: those of the process.
    """
    args = parse_args(arguments)
    page = write_report(args.run, args.out, args.num, args.checkpoint, args.compare)
    print(f'report: {page}')


if __name__ == '__main__':
    run_tool(main)
