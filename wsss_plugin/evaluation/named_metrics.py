"""Rates of all predictions under one name each, and by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from wsss_plugin.evaluation import report
from wsss_plugin.evaluation.class_rates import ClassRates, percent


def named_metrics(
    rates: Mapping[str, ClassRates],
    groups: Mapping[str, tuple[int, Mapping[str, ClassRates]]],
    sweep: Mapping[str, Mapping[float, float]],
) -> dict[str, float]:
    """The means of all rates.

    Args:
        rates: Rates by field.
        groups: For each group its number of images, and rates by field.
        sweep: mIoU in percent by threshold, for each CAM.

    Returns:
        Means in percent; the name of what is not of the segmentation begins with its field's.
    """
    metrics = {
        f'{_prefix(field)}{name}': value
        for field, rate in rates.items()
        for name, value in rate.means().items()
    }
    for field, values in sweep.items():
        for threshold, value in values.items():
            metrics[f'{_prefix(field)}mIoU_at_{threshold:g}'] = value
        best = report.best_threshold(values)
        metrics[f'{_prefix(field)}best_mIoU'] = values[best]
        metrics[f'{_prefix(field)}best_threshold'] = best
    for group, (_, members) in groups.items():
        for field, rate in members.items():
            metrics[f'group/{group}/{_prefix(field)}mIoU'] = rate.means()['mIoU']
    return metrics


def rates_by_class(rates: Mapping[str, ClassRates], classes: Sequence[str]) -> dict[str, dict]:
    """All rates of every class.

    Args:
        rates: Rates by field.
        classes: Names of the C classes.

    Returns:
        Percentages, None where undefined, by rate, by field, by class.
    """
    names = ('iou', 'accuracy', 'over_activation', 'false_negative', 'boundary_iou')
    return {
        name: {
            field: {
                rate: json_number(percent(getattr(values, rate)[index]))
                for rate in names
                if getattr(values, rate) is not None
            }
            for field, values in rates.items()
        }
        for index, name in enumerate(classes)
    }


def json_number(value: float) -> float | None:
    """A number as JSON has it, which has no NaN.

    Args:
        value: The number.

    Returns:
        The number, None for NaN.

    >>> json_number(1.5), json_number(float('nan'))
    (1.5, None)
    """
    return None if math.isnan(value) else value


def _prefix(field: str) -> str:
    return '' if field == 'segmentation' else f'{field}/'
