"""Prints who reads what in each phase of a training: python tools/describe.py CONFIG.

A phase begins where a loss term begins or a label is made of other CAMs. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.phase_plan import needs_of, phase_starts

_HEADINGS = ('term', 'weight', 'labels <- CAMs', 'gradients by', 'features', 'views')
_NOTHING = '-'


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        argparse.Namespace: One attribute per argument.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    return parser.parse_args(arguments)


def build(config: Config) -> Any:
    """Builds the segmentor of a config without its pretrained weights.

    Args:
        config (Config): The config.

    Returns:
        The segmentor.

    Raises:
        TypeError: If it is not made of parts.
    """
    init_default_scope(config.get('default_scope', 'mmseg'))
    # Weights are loaded by init_weights only, which is not called.
    model = MODELS.build(config.model)
    if not hasattr(model, 'terms'):
        raise TypeError(
            'expected a segmentor that is made of parts, such as a WeakSegmentor, received '
            f'{type_name(config.model)}; name another config'
        )
    return model


def describe(model: Any, max_iters: int | None) -> str:
    """What each phase of a training reads.

    Args:
        model: The segmentor, or a wrapper of ``students`` with terms of its own.
        max_iters (int, optional): Length of the training, where it is known.

    Returns:
        str: Lines of text.
    """
    students: Mapping[str, Any] = getattr(model, 'students', {})
    if not students:
        return '\n\n'.join([_prediction(model), _sources(model), *_phases(model, model, max_iters)])
    blocks = [
        f'STUDENT {name}\n\n{describe(student, max_iters)}' for name, student in students.items()
    ]
    # The students have parts of the same names.
    between = '\n\n'.join(_phases(model, next(iter(students.values())), max_iters))
    return '\n\n'.join([*blocks, f'BETWEEN THE STUDENTS\n\n{between}'])


def _prediction(model: Any) -> str:
    if model.decode_head is None:
        return 'prediction: ' + ('the CAM final, by tags' if 'final' in model.cams else 'none')
    return f'prediction: {type(model.decode_head).__name__} <- {_joined(model.decode_reads)}'


def _sources(model: Any) -> str:
    rows = [('CAM', 'kind', 'reads', 'base', 'classifies')]
    for name, source in model.cams.items():
        reads = ['decoder'] if source.reads_decoder else source.reads
        classifies = 'yes' if source.classifies else _NOTHING
        kind = type(source).__name__
        rows.append((name, kind, _joined(reads), source.base or _NOTHING, classifies))
    return _table(rows)


def _phases(owner: Any, model: Any, max_iters: int | None) -> list[str]:
    """One table for each phase of the terms of ``owner``, which read parts of ``model``."""
    starts = sorted(
        {*phase_starts(model, max_iters), *(t.begins(max_iters) for t in owner.terms.values())}
    )
    ends: list[int | None] = [*(start - 1 for start in starts[1:]), None]
    tables = []
    for start, end in zip(starts, ends, strict=True):
        rows: list[Sequence[str]] = [_HEADINGS]
        for name, term in owner.terms.items():
            begins = term.begins(max_iters)
            waits = f'from {begins} on, until then: {term.idle}'
            rows.append(
                _row(name, term, model, start, max_iters)
                if begins <= start
                else (name, f'{term.loss_weight:g}', waits)
            )
        span = f'from iteration {start} on' if end is None else f'iterations {start} to {end}'
        tables.append(f'{span}\n{_table(rows)}')
    return tables


def _row(
    name: str, term: Any, model: Any, iteration: int, max_iters: int | None
) -> tuple[str, ...]:
    own: Needs = term.needs()
    resolved = needs_of(model, own, iteration, max_iters)
    labels = [
        f'{label} <- {_joined(model.labels[label].needs(iteration, max_iters).cams, "+")}'
        for label in own.labels
    ]
    learnt = [f'CAM {_joined(own.raw, "+")}'] if own.raw else []
    learnt += [f'logits {_joined(own.logits, "+")}'] if own.logits else []
    learnt += [f'head {_joined(own.heads, "+")}'] if own.heads else []
    learnt += ['decoder'] if own.decoder else []
    learnt += own.features
    cells = (labels, learnt, sorted(resolved.features), resolved.views)
    return (name, f'{term.loss_weight:g}', *(_joined(cell) for cell in cells))


def _joined(names: Iterable[str], separator: str = ', ') -> str:
    return separator.join(names) or _NOTHING


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns; the last cell of a row of fewer cells may reach into the next columns."""
    columns = len(rows[0])
    cells = [row if len(row) == columns else row[:-1] for row in rows]
    widths = [max(len(row[i]) for row in cells if i < len(row)) for i in range(columns)]
    lines = ['  '.join(map(str.ljust, row, widths)) for row in rows]
    return '\n'.join(f'  {line.rstrip()}' for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Describes the config that the command line names.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.
    """
    args = parse_args(arguments)
    # Without files of weights, which need not be there yet.
    options = {**(args.cfg_options or {}), 'load_part': None}
    config = load_config(args.config, options=options)
    max_iters = (config.get('train_cfg') or {}).get('max_iters')
    length = 'a training of unknown length' if max_iters is None else f'{max_iters} iterations'
    print(f'{type_name(config.model)} of {args.config}, {length}\n')
    print(describe(build(config), max_iters))


if __name__ == '__main__':
    run_tool(main)
