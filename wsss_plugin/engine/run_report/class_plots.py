"""Bars of rates by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsss_plugin.engine.run_report.svg_plots import bars_svg

ByClass = Mapping[str, Mapping[str, Mapping[str, Any]]]


def over_activation_bars(
    by_class: ByClass, titles: Mapping[str, str], others: Mapping[str, ByClass]
) -> str:
    """Draws the over-activation rate FP / (TP + FP) of every foreground class.

    Figure 3 of the dual-branch paper, whose section 2.2 defines the rate, compares two runs so.

    Args:
        by_class: Percentages by rate, by field, by class, background first.
        titles: What the fields are called.
        others: The same of other runs, by their names.

    Returns:
        An ``svg`` element, empty without a foreground class.
    """
    classes = list(by_class)[1:]
    if not classes:
        return ''
    bars = {
        title: [by_class[name][field]['over_activation'] for name in classes]
        for field, title in titles.items()
    }
    for other, rates in others.items():
        for field, title in titles.items():
            values = [rates.get(name, {}).get(field, {}).get('over_activation') for name in classes]
            if any(value is not None for value in values):
                bars[f'{title}, {other}'] = values
    return bars_svg(classes, bars, 'over-activation FP / (TP + FP) in %')
