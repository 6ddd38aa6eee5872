"""The curves of a training, sorted by what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wsss_plugin.engine.run_report.svg_plots import curves_svg

# The last is that of the first group of parameters, which is drawn by its other name.
_NO_CURVES = ('iter', 'step', 'epoch', 'memory', 'base_lr')
# Titles with which names belong to them; the first that fits counts.
_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ('losses', lambda name: 'loss' in name and 'weight' not in name),
    ('learning rates', lambda name: name.endswith('lr')),
    ('thresholds', lambda name: 'threshold' in name),
    ('seconds per iteration', lambda name: name in ('time', 'data_time')),
)


def training_curves(
    rows: Sequence[Mapping[str, Any]], validations: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Draws what was logged, a plot for each kind.

    Args:
        rows: Numbers by name for each iteration ``iter`` that was logged in training.
        validations: The same of validations, of which the mIoU are drawn.

    Returns:
        ``svg`` elements: losses, learning rates, thresholds, other values, validation.
    """
    groups: dict[str, dict[str, list[tuple[float, float]]]] = {title: {} for title, _ in _KINDS}
    for name, points in _points(rows).items():
        # Others differ in what they measure, so that each has a plot of its own.
        title = next((title for title, fits in _KINDS if fits(name)), name)
        groups.setdefault(title, {})[name] = points
    scores = _points(validations)
    groups['validation, mIoU in %'] = {
        name: scores[name] for name in scores if name.rpartition('/')[2] == 'mIoU'
    }
    return [
        curves_svg(curves, title, log_scale=title == 'learning rates')
        for title, curves in groups.items()
        if curves
    ]


def _points(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.rpartition('.')[2] not in _NO_CURVES and isinstance(value, int | float):
                curves.setdefault(name, []).append((row['iter'], value))
    return curves
