"""Names of classes beside their colours."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from wsss_plugin.visualization.drawn_text import draw_literally

_LONGEST_NAME = 60
_FONT_SIZE = 9


def fraction(colour: Sequence[int]) -> tuple[float, float, float]:
    """A colour as matplotlib wants it.

    Args:
        colour: Red, green and blue, 0 to 255.

    Returns:
        The same, 0 to 1.

    >>> fraction((255, 0, 51))
    (1.0, 0.0, 0.2)
    """
    red, green, blue = (value / 255 for value in colour)
    return red, green, blue


def draw_legend(
    figure: Figure, entries: Sequence[tuple[str, Sequence[int]]], columns: int = 12
) -> None:
    """Draws a legend at the bottom of a figure; names are drawn literally.

    Args:
        figure: The figure.
        entries: Names and colours, 0 to 255; nothing is drawn if there are none.
        columns: Number of names in a row at most.
    """
    if not entries:
        return
    legend = figure.legend(
        handles=[Patch(color=fraction(colour)) for _, colour in entries],
        # Names that begin with '_' would be left out.
        labels=['class'] * len(entries),
        loc='lower center',
        ncols=min(len(entries), columns),
        fontsize=_FONT_SIZE,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.2,
        columnspacing=1.2,
    )
    for text, (name, _) in zip(legend.get_texts(), entries, strict=True):
        draw_literally(text, name, _LONGEST_NAME)
