"""Scores of one scale, of several, and of several with a CRF, told apart by name."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from prettytable import PrettyTable

from wsss_plugin.engine.scoring_config import enable_crf, enable_drawing, enable_tta, wsss_metrics
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.named_metrics import json_number

_COLUMNS = {
    'mIoU': 'mIoU',
    'mAcc': 'mAcc',
    'aAcc': 'aAcc',
    'over_activation': 'OA',
    'false_negative': 'FN',
    'boundary_mIoU': 'boundary mIoU',
}


@dataclass(frozen=True)
class ScoreRow:
    """The scores of one way to test.

    Attributes:
        scales: Test scales; None stands for one that is unknown.
        flip: Whether flipped images are used.
        crf: Whether the prediction went through a CRF.
        metrics: Metrics by the names that every row has for them.
    """

    scales: tuple[float | None, ...]
    flip: bool
    crf: bool
    metrics: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """The row as JSON has it.

        Returns:
            Its settings, and its metrics with None for NaN.
        """
        metrics = {name: json_number(float(value)) for name, value in self.metrics.items()}
        return {'scales': list(self.scales), 'flip': self.flip, 'crf': self.crf, 'metrics': metrics}


def two_tests(
    config: Config, crf_workers: int | None = None, show_dir: str | None = None
) -> dict[str, Config]:
    """The tests that give all rows: one scale, then several with and without CRF in one pass.

    Args:
        config: Config of a test, left as it is.
        crf_workers: Processes that run the CRF.
        show_dir: Folder for pictures.

    Returns:
        Configs by 'raw' and 'multi_scale'. Work folder, pictures and files of the metrics have
        the name in their paths, so that the second test leaves the files of the first.

    Raises:
        ConfigError: If the segmentation is a CAM, or no WSSSMetric scores it.
        KeyError: If the config has no ``tta_model`` or no ``tta_pipeline``.
    """
    _require_scores(config)
    raw, several = copy.deepcopy(config), copy.deepcopy(config)
    # As under augmentation: a row has the scores of the segmentation only.
    raw.model.setdefault('test_cfg', {})
    raw.model.test_cfg['cam'] = False
    for metric in wsss_metrics(raw).values():
        metric['crf'] = None
    enable_tta(several)
    enable_crf(several, crf_workers)
    tests = {'raw': raw, 'multi_scale': several}
    for name, test in tests.items():
        if show_dir is not None:
            enable_drawing(test, str(Path(show_dir, name)))
        _set_apart(test, name)
    return tests


def score_rows(
    configs: Mapping[str, Config], metrics: Mapping[str, Mapping[str, float]]
) -> dict[str, ScoreRow]:
    """The rows of the table.

    Args:
        configs: Result of :func:`two_tests`.
        metrics: Metrics of each of these tests.

    Returns:
        Rows by 'raw', 'multi-scale' and 'multi-scale + CRF'.
    """
    several = _row(configs['multi_scale'], metrics['multi_scale'], False)
    refined = _row(configs['multi_scale'], metrics['multi_scale'], True)
    raw = _row(configs['raw'], metrics['raw'], False)
    return {'raw': raw, 'multi-scale': several, 'multi-scale + CRF': refined}


def score_table(rows: Mapping[str, ScoreRow]) -> str:
    """The rows as text.

    Args:
        rows: Rows by name.

    Returns:
        A table of percentages.

    >>> row = ScoreRow((1.0, 1.5), True, False, dict(mIoU=61.5))
    >>> print(score_table({'multi-scale': row}))
    +-------------+--------+------+-----+-------+
    | Scores      | Scales | Flip | CRF |  mIoU |
    +-------------+--------+------+-----+-------+
    | multi-scale | 1, 1.5 |  yes |  no | 61.50 |
    +-------------+--------+------+-----+-------+
    """
    columns = [name for name in _COLUMNS if any(name in row.metrics for row in rows.values())]
    table = PrettyTable(['Scores', 'Scales', 'Flip', 'CRF', *(_COLUMNS[name] for name in columns)])
    for name, row in rows.items():
        scales = ', '.join('unknown' if scale is None else f'{scale:g}' for scale in row.scales)
        switches = ['yes' if switch else 'no' for switch in (row.flip, row.crf)]
        cells = [f'{row.metrics.get(column, float("nan")):.2f}' for column in columns]
        table.add_row([name, scales, *switches, *(cell.replace('nan', '-') for cell in cells)])
    table.align = 'r'
    table.align['Scores'] = 'l'
    return str(table.get_string())


def _require_scores(config: Config) -> None:
    if predicts(config.model)['segmentation'] == 'cam':
        raise ConfigError(
            'model.decode_head: expected a decode head, whose logits several scales and a CRF '
            'need, received a segmentation by CAM; test it without --all'
        )
    scoring = [part for part in wsss_metrics(config).values() if not part.get('format_only')]
    if not scoring:
        raise ConfigError(
            'test_evaluator: expected a WSSSMetric that scores, received '
            f'{config.get("test_evaluator")!r:.200}; add one without format_only, or test without '
            '--all'
        )


def _set_apart(config: Config, name: str) -> None:
    config.work_dir = str(Path(config.work_dir, name))
    # The toolbox keeps logs and visualizers by their names as long as the process lives.
    config.experiment_name = f'{config.get("experiment_name") or "test"}_{name}'
    if config.get('visualizer') is not None:
        config.visualizer.name = f'{config.visualizer.get("name", "visualizer")}_{name}'
    for metric in wsss_metrics(config).values():
        if metric.get('output_dir') is not None:
            metric.output_dir = str(Path(metric.output_dir, name))
        if metric.get('out_file') is not None:
            file = Path(metric.out_file)
            metric.out_file = str(file.with_stem(f'{file.stem}_{name}'))


def _row(config: Config, metrics: Mapping[str, float], crf: bool) -> ScoreRow:
    metric = next(part for part in wsss_metrics(config).values() if not part.get('format_only'))
    start = f'{metric["prefix"]}/' if metric.get('prefix') else ''
    own = {name.removeprefix(start): v for name, v in metrics.items() if name.startswith(start)}
    plain = {name: _without_crf(name) for name in own}
    kept = {plain[name][0]: value for name, value in own.items() if plain[name][1] == crf}
    scales = tuple(metric.get('scales') or (1.0,))
    return ScoreRow(scales, bool(metric.get('flip', False)), crf, kept)


def _without_crf(name: str) -> tuple[str, bool]:
    """The name of a metric without the part that says CRF, and whether it had that."""
    path = name.split('/')
    place = 2 if path[0] == 'group' else 0
    refined = path[place : place + 1] == ['crf']
    if refined:
        del path[place]
    return '/'.join(path), refined
