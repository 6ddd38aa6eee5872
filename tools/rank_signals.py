"""Ranks signals that need no mask: python tools/rank_signals.py JUDGEMENT JUDGEMENT ...

Each JUDGEMENT is the folder, or the judgement.json in it, of a run that tools/judge_labels.py has
judged with --masks, all on the same images. Prints Spearman's rank correlation of each signal with
the true mIoU; shares of which less is better are ranked downwards. One below 0.5 is no reason to
prefer a run.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.judging import ENOUGH, rank_correlations, read_judgements, true_miou


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('judgements', nargs='+', metavar='JUDGEMENT', help='folder or file')
    return parser.parse_args(arguments)


def table(correlations: Mapping[str, tuple[float | None, int]]) -> str:
    """The correlations in Markdown.

    Args:
        correlations: Correlation and number of runs by signal.

    Returns:
        The text.
    """
    lines = ['| signal | rank correlation | runs | recommended |', '| --- | ---: | ---: | --- |']
    for name, (value, runs) in correlations.items():
        shown = '-' if value is None else f'{value:.2f}'
        recommended = 'yes' if value is not None and value >= ENOUGH else 'no'
        lines.append(f'| `{name}` | {shown} | {runs} | {recommended} |')
    return '\n'.join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ranks as the command line says."""
    judgements = read_judgements(parse_args(arguments).judgements)
    scores = sorted(true_miou(one) for one in judgements)
    print(f'{len(scores)} runs, true mIoU from {scores[0]:.1f} to {scores[-1]:.1f}\n')
    print(table(rank_correlations(judgements)))


if __name__ == '__main__':
    run_tool(main)
