"""The evaluator's results as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from prettytable import PrettyTable

from wsss_plugin.cam_fields import cam_title
from wsss_plugin.evaluation.class_rates import ClassRates, percent
from wsss_plugin.label_fields import label_fields, label_title

SEGMENTATIONS = {'segmentation': 'seg', 'crf': 'seg+CRF'}
PICKED = 'picked on these masks'


def protocol_line(protocol: Mapping[str, object]) -> str:
    """How the numbers came about, in one line.

    Args:
        protocol: Texts by name.

    Returns:
        The line.

    >>> protocol_line(dict(split='val', images=2))
    'protocol: split: val | images: 2'
    """
    return 'protocol: ' + ' | '.join(f'{name}: {value}' for name, value in protocol.items())


def class_table(rates: Mapping[str, ClassRates], classes: Sequence[str]) -> str:
    """IoU, over-activation (OA) and false-negative (FN) rate of every prediction, per class.

    The boundary IoU follows where it was computed.

    Args:
        rates: Rates by field.
        classes: Names of the C classes.

    Returns:
        The table; its last row holds the means, OA and FN without the background.
    """
    table = PrettyTable()
    table.add_column('Class', [*classes, 'mean'])
    means = {field: rate.means() for field, rate in rates.items()}
    columns = (
        ('IoU', 'iou', 'mIoU'),
        ('OA', 'over_activation', 'over_activation'),
        ('FN', 'false_negative', 'false_negative'),
        ('boundary IoU', 'boundary_iou', 'boundary_mIoU'),
    )
    for short, attribute, mean in columns:
        for field, rate in rates.items():
            if getattr(rate, attribute) is None:
                continue
            cells = [percent(value) for value in getattr(rate, attribute)]
            table.add_column(
                f'{short} {field_title(field)}', [_cell(v) for v in (*cells, means[field][mean])]
            )
    return _text(table)


def group_table(groups: Mapping[str, tuple[int, Mapping[str, ClassRates]]]) -> str:
    """Mean rates per group of images.

    Args:
        groups: For each group its number of images, and rates by field.

    Returns:
        The table.
    """
    table = PrettyTable()
    names = list(groups)
    table.add_column('Group', names)
    table.add_column('Images', [groups[name][0] for name in names])
    fields = {field: None for name in names for field in groups[name][1]}
    columns = (('mIoU', 'mIoU'), ('OA', 'over_activation'), ('FN', 'false_negative'))
    for short, mean in columns:
        for field in fields:
            rates = (groups[name][1].get(field) for name in names)
            cells = [_cell(rate.means()[mean]) if rate else '-' for rate in rates]
            table.add_column(f'{short} {field_title(field)}', cells)
    return _text(table)


def sweep_table(sweep: Mapping[str, Mapping[float, float]]) -> str:
    """mIoU of the CAMs at every threshold of a sweep.

    Args:
        sweep: For each field the mIoU in percent by threshold.

    Returns:
        The table and, below it, the best threshold of each CAM.
    """
    table = PrettyTable()
    table.add_column('Threshold', [f'{value:g}' for value in next(iter(sweep.values()))])
    lines = []
    for field, values in sweep.items():
        table.add_column(f'mIoU {field_title(field)}', [_cell(value) for value in values.values()])
        best = best_threshold(values)
        lines.append(f'best {field_title(field)} mIoU {_cell(values[best])} at {best:g}, {PICKED}')
    return '\n'.join([_text(table), *lines])


def best_threshold(values: Mapping[float, float]) -> float:
    """The threshold of the highest mIoU.

    Args:
        values: mIoU by threshold; NaN counts as lowest.

    Returns:
        The threshold, the first of equals.

    >>> best_threshold({0.3: 50.0, 0.4: 52.0, 0.5: float('nan')})
    0.4
    """
    return max(values, key=lambda value: -1.0 if math.isnan(values[value]) else values[value])


def size_range(sizes: Sequence[tuple[int, int]]) -> str:
    """Image sizes in few words.

    Args:
        sizes: Heights and widths.

    Returns:
        The sizes if there are up to three, otherwise their range.

    >>> size_range([(448, 448), (448, 448)]), size_range([(1, 9), (2, 8), (3, 7), (4, 6)])
    ('448x448', '4 sizes, heights 1 to 4, widths 6 to 9')
    """
    distinct = sorted(set(sizes))
    if len(distinct) <= 3:
        return ', '.join(f'{height}x{width}' for height, width in distinct) or 'unknown'
    heights, widths = zip(*distinct, strict=True)
    return (
        f'{len(distinct)} sizes, heights {min(heights)} to {max(heights)}, '
        f'widths {min(widths)} to {max(widths)}'
    )


def field_title(field: str) -> str:
    """What a prediction is called in tables.

    Args:
        field: The name of its field.

    Returns:
        The title.

    >>> field_title('segmentation'), field_title('aux_cam')
    ('seg', 'aux CAM')
    """
    return SEGMENTATIONS.get(field) or (
        label_title(field) if label_fields([field]) else cam_title(field)
    )


def _cell(value: float) -> str:
    return '-' if math.isnan(value) else f'{value:.2f}'


def _text(table: PrettyTable) -> str:
    table.align = 'r'
    table.align[table.field_names[0]] = 'l'
    return str(table.get_string())
