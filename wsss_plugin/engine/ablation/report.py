"""The tables of an ablation in Markdown."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence

from wsss_plugin.cam_fields import cam_fields, cam_title
from wsss_plugin.engine.ablation.row import Row
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.label_fields import label_fields, label_title

# Columns of a line of a command.
_WIDTH = 100

_OLD = (
    '\n* "old" rows were measured before their config changed, with the version that they name; '
    'they are not finished.'
)

_LABELS = (
    '\n* Pseudo labels are made with the true tags and scored where they label; "labelled" is the '
    'share of pixels. "train" is up to 200 training images, spread over all.'
)


def report(
    rows: Sequence[Row], title: str, command: str, seeds: Sequence[int], reference: str
) -> str:
    """The tables of all rows.

    Args:
        rows: The rows, at least one.
        title: What was measured.
        command: The command that writes the report.
        seeds: The random seeds.
        reference: Name of the row of full supervision, to which the others are compared.

    Returns:
        The report in Markdown.
    """
    budget = _budget(rows[0])
    exceptions = ''.join(
        f'; of {row.name}: {_budget(row)}' for row in rows if _budget(row) != budget
    )
    runs = dict.fromkeys(run for row in rows for run in row.runs)
    done = [run for run in runs if run.done]
    machines = dict.fromkeys(record.machine for row in rows for record in row.records)
    parts = [
        f'# Measured: {title}',
        f'Written by\n\n```bash\n{_wrapped(command)}\n```',
        f'* Seeds: {", ".join(map(str, seeds))}; finished: {len(done)} of {len(runs)} runs. '
        f'Budget of a run: {budget}{exceptions}.\n'
        f'* Made on: {" / ".join(machines) or "nothing is finished"}.\n'
        '* Values in percent: mean ± standard deviation over the seeds (n - 1). "(= name)" shares '
        'the runs of a row of equal content.\n'
        f'* "of supervised" is the ratio of the mean mIoU to that of `{reference}`. OA = '
        'FP/(TP+FP), FN = FN/(TP+FN), both over the foreground classes. min = minutes of '
        'training.\n'
        '* CAMs are masked by the true tags. "best" is at the threshold that is best on the masks '
        'it is scored on, so it is an upper bound; the threshold is the mean over the seeds.'
        + (_LABELS if _label_names(rows) else '')
        + (_OLD if any(row.old_versions for row in rows) else ''),
        '## Segmentation',
        _table(*_segmentation(rows, reference)),
        '† a CAM at the fixed threshold, with the true tags; there is no decoder.'
        if any(row.is_cam for row in rows)
        else '',
        *_section('CAMs', *_cams(rows)),
        *_section('Pseudo labels', *_labels(rows)),
        *_section('Segmentation mIoU by group of images', *_groups(rows)),
        *_section('IoU of the segmentation by class', *_iou(rows, ('segmentation',))),
        *_section('IoU of the pseudo labels by class', *_iou(rows, _label_names(rows))),
        *_section('Over-activation of the segmentation by class', *_classes(rows)),
    ]
    return '\n\n'.join(part for part in parts if part) + '\n'


def _wrapped(command: str) -> str:
    """A command over several lines, broken between its words."""
    lines = ['']
    for word in re.findall(r"(?:'[^']*'|\S)+", command):
        if lines[-1] and len(lines[-1]) + len(word) >= _WIDTH:
            lines.append(' ')
        lines[-1] += f' {word}' if lines[-1] else word
    return ' \\\n'.join(lines)


def _budget(row: Row) -> str:
    config = row.config
    return f'{config.train_cfg.max_iters} iterations x {config.train_dataloader.batch_size} images'


def _section(title: str, head: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """A table with its title, or nothing where it has no columns or no rows."""
    return [f'## {title}', _table(head, cells)] if head[1:] and cells else []


def _segmentation(rows: Sequence[Row], reference: str) -> tuple[list[str], list[list[str]]]:
    supervised = [row.values('mIoU') for row in rows if row.name == reference]
    full = statistics.mean(supervised[0]) if supervised and supervised[0] else math.nan
    extra = [
        (title, metric)
        for title, metric in (
            ('multi-scale', 'multi_scale/mIoU'),
            ('multi-scale + CRF', 'multi_scale/crf/mIoU'),
        )
        if any(row.values(metric) for row in rows)
    ]
    cells = []
    for row in rows:
        scores = row.values('mIoU')
        ratio = statistics.mean(scores) / full if scores else math.nan
        cells.append(
            [
                _title(row, rows) + (' †' if row.is_cam else ''),
                str(len(scores)),
                _cell(scores),
                '' if math.isnan(ratio) else f'{ratio:.3f}',
                _cell(row.values('over_activation')),
                _cell(row.values('false_negative')),
                *(_cell(row.values(metric)) for _, metric in extra),
                f'{statistics.mean(row.minutes):.1f}' if row.minutes else '',
            ]
        )
    head = ['config', 'seeds', 'mIoU', 'of supervised', 'OA', 'FN']
    return [*head, *(title for title, _ in extra), 'min'], cells


def _cams(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    metric = next(iter(wsss_metrics(rows[0].config).values()))
    threshold = metric.get('cam_threshold', 0.5)
    names = cam_fields({name.split('/')[0] for name in _metrics(rows) if name.endswith('/mIoU')})
    head = ['config']
    for name in names:
        head += [f'{cam_title(name)} at {threshold:g}', 'best', 'at', 'OA']
        head += ['train'] * _any(rows, f'train/{name}/mIoU')
    cells = []
    for row in rows:
        line = [_title(row, rows)]
        for name in names:
            best_at = row.values(f'{name}/best_threshold')
            line += [
                _cell(row.values(f'{name}/mIoU')),
                _cell(row.values(f'{name}/best_mIoU')),
                f'{statistics.mean(best_at):.2f}' if best_at else '',
                _cell(row.values(f'{name}/over_activation')),
            ]
            if _any(rows, f'train/{name}/mIoU'):
                line.append(_cell(row.values(f'train/{name}/mIoU')))
        cells.append(line)
    return head, [line for line in cells if any(line[1:])]


def _metrics(rows: Sequence[Row]) -> set[str]:
    return {name for row in rows for record in row.records for name in record.metrics}


def _any(rows: Sequence[Row], metric: str) -> bool:
    return any(row.values(metric) for row in rows)


def _label_names(rows: Sequence[Row]) -> list[str]:
    return label_fields({name.split('/')[0] for name in _metrics(rows) if name.endswith('/mIoU')})


def _labels(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """A line for each label of each row."""
    metrics = [f'{split}{name}' for split in ('', 'train/') for name in ('mIoU', 'labelled', 'OA')]
    head = ['config and label', *(metric.replace('train/', 'train ') for metric in metrics)]
    cells = []
    for row in rows:
        for name in _label_names([row]):
            keys = [f'{split}{name}/' for split in ('', 'train/')]
            rates = ('mIoU', 'labelled', 'over_activation')
            line = [_cell(row.values(key + rate)) for key in keys for rate in rates]
            cells.append([f'{_title(row, rows)}: {label_title(name)}', *line])
    return head, cells


def _groups(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    split = [name.split('/') for name in sorted(_metrics(rows))]
    groups = [parts[1] for parts in split if parts[0] == 'group' and parts[2:] == ['mIoU']]
    cells = [
        [_title(row, rows), *(_cell(row.values(f'group/{group}/mIoU')) for group in groups)]
        for row in rows
    ]
    return ['config', *groups], cells


def _iou(rows: Sequence[Row], fields: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """A line for each of the predictions of each row."""
    records = [record for row in rows for record in row.records]
    found = (name for record in records for key in fields for name in record.iou.get(key, {}))
    names = list(dict.fromkeys(found))
    cells = []
    for row in rows:
        for key in fields:
            line = [_cell(row.iou(key, name)) for name in names]
            label = f': {label_title(key)}' if label_fields([key]) else ''
            cells += [[_title(row, rows) + label, *line]] if any(line) else []
    return ['config', *names], cells


def _classes(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    records = [record for row in rows for record in row.records]
    names = list(dict.fromkeys(name for record in records for name in record.over_activation))
    shown = [row for row in rows if any(row.over_activation(name) for name in names)]
    cells = [
        [_title(row, rows), *(_cell(row.over_activation(name)) for name in names)] for row in shown
    ]
    return ['config', *names], cells


def _title(row: Row, rows: Sequence[Row]) -> str:
    first = next(other for other in rows if other.runs == row.runs)
    title = row.name if first is row else f'{row.name} (= {first.name})'
    old = ', '.join(row.old_versions)
    return f'{title} (old: version {old})' if old else title


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ''
    mean = f'{statistics.mean(values):.1f}'
    return f'{mean} ± {statistics.stdev(values):.1f}' if len(values) > 1 else mean


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ['---', *(['---:'] * (len(head) - 1))]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (head, rule, *rows))
