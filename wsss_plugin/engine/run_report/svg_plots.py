"""Plots as text of SVG, to be put into a page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from wsss_plugin.errors import cut

_WIDTH, _HEIGHT = 6.2, 2.9  # inches at 72 points
_LONGEST_NAME = 40
_BAR = 0.8  # of the place of a class
_NAMES_LEVEL = 8  # more names stand upright
_METADATA = ('Creator', 'Date', 'Format', 'Type')  # left out
_MARKED = 60  # points up to which each is marked

Points = Sequence[tuple[float, float]]


def curves_svg(curves: Mapping[str, Points], title: str, log_scale: bool = False) -> str:
    """Draws curves over the iterations.

    Args:
        curves: Iterations and values by name.
        title: What they are.
        log_scale: Whether the values are on a logarithmic scale, where all are positive.

    Returns:
        An ``svg`` element.

    Raises:
        ValueError: If there is no curve.

    >>> curves_svg({'loss': [(1, 2.0), (2, 1.0)]}, 'losses')[:5]
    '<svg '
    """
    if not curves:
        raise ValueError('expected one curve or more, received none')
    figure, axis = _axis(title)
    for points in curves.values():
        marker = '.' if len(points) <= _MARKED else ''
        axis.plot(*zip(*points, strict=True), label='curve', linewidth=1.2, marker=marker, ms=3)
    if log_scale and all(value > 0 for points in curves.values() for _, value in points):
        axis.set_yscale('log')
    axis.set_xlabel('iteration', fontsize=8)
    axis.grid(alpha=0.3)
    _draw_legend(axis, list(curves))
    return _text(figure, title)


def bars_svg(groups: Sequence[str], bars: Mapping[str, Sequence[float | None]], title: str) -> str:
    """Draws bars beside each other for every group, such as a class.

    Args:
        groups: Names of the G groups.
        bars: G values by name, None where there is no bar.
        title: What they are.

    Returns:
        An ``svg`` element.

    Raises:
        ValueError: If there is no bar.

    >>> '>cat</text>' in bars_svg(['cat', 'dog'], {'CAM': [10.0, None]}, 'over-activation')
    True
    """
    if not bars or not groups:
        raise ValueError('expected one bar or more, received none')
    figure, axis = _axis(title)
    width = _BAR / len(bars)
    for index, values in enumerate(bars.values()):
        left = [place - _BAR / 2 + (index + 0.5) * width for place in range(len(groups))]
        axis.bar(left, [value or 0 for value in values], width, label='bar')
    axis.set_xticks(range(len(groups)))
    upright = 90 if len(groups) > _NAMES_LEVEL else 0
    names = [cut(name, _LONGEST_NAME) for name in groups]
    # A name is no formula, whatever '$' it has.
    axis.set_xticklabels(names, fontsize=7, rotation=upright, parse_math=False)
    axis.grid(axis='y', alpha=0.3)
    _draw_legend(axis, list(bars))
    return _text(figure, title)


def _axis(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout='constrained')
    axis = figure.subplots()
    axis.tick_params(labelsize=7)
    axis.set_title(title, fontsize=9, loc='left', parse_math=False)
    axis.spines[['top', 'right']].set_visible(False)
    return figure, axis


def _draw_legend(axis: Axes, names: Sequence[str]) -> None:
    legend = axis.legend(
        fontsize=7, frameon=False, loc='upper left', bbox_to_anchor=(1, 1), borderaxespad=0.2
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(cut(name, _LONGEST_NAME))


def _text(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    # The title keeps the names of parts apart from those of other plots in the page.
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': title}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(_METADATA))
    text = buffer.getvalue()
    # A page has many plots; what is referred to is named by a digest, without '_'.
    text = re.sub(r' id="[\w.]+_\d+"', '', text[text.index('<svg') :])
    return re.sub(r' (width|height)="[\d.]+pt"', '', text, count=2)
