"""Writes the page about a training."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from wsss_plugin.engine.inspection.inspect_data import INSPECTION_FILE, SHEET_FILE
from wsss_plugin.engine.judging.judge_run import JUDGEMENT_FILE, REVIEW_FILE
from wsss_plugin.engine.run_identity import read_run
from wsss_plugin.engine.run_report.class_plots import over_activation_bars
from wsss_plugin.engine.run_report.curves import training_curves
from wsss_plugin.engine.run_report.image_scores import ImageScores
from wsss_plugin.engine.run_report.run_folder import RunFolder
from wsss_plugin.engine.run_report.run_settings import data_sets, named_settings
from wsss_plugin.engine.versions import describe_versions
from wsss_plugin.errors import ConfigError, MissingFileError, cut
from wsss_plugin.whole_file import write_text

REPORT_FILE = 'report.html'
_REVIEWED = 20  # rows that are shown
_SHOWN = 4  # images at each end
_QUALITY = 85


def write_report(
    run: str | Path,
    out: str | Path | None = None,
    num: int = 100,
    checkpoint: str | Path | None = None,
    compare: str | Path | None = None,
) -> Path:
    """Writes one page that needs no other file: curves, scores, pictures and settings of a run.

    What the folder does not hold is left out, and the page says why: without masks there are no
    scores, without a checkpoint or images no pictures.

    Args:
        run: The work folder of the training.
        out: The page; ``report.html`` in the work folder if None.
        num: Images of the test set at most that are scored; 0 for none.
        checkpoint: The checkpoint; the latest of the folder if None.
        compare: The work folder of another training, whose over-activation is drawn beside.

    Returns:
        The page.

    Raises:
        MissingFileError: If no training has begun in a folder, or a checkpoint that is asked for is
            missing.
        DamagedFileError: If a file in it cannot be read.
    """
    folder = RunFolder(run)
    config = folder.config()
    init_default_scope(config.get('default_scope') or 'mmseg')
    rows, review = folder.rows(), _review(folder.path / REVIEW_FILE)
    doubtful = [row[0] for row in review['rows']] if review else []
    content = {
        'name': folder.path.resolve().name,
        'config_name': folder.config_file().name,
        'run': read_run(folder.path).get('run'),
        'starts': [start.folder.parent.name for start in folder.starts],
        'iterations': rows[-1]['iter'] if rows else 0,
        'curves': [Markup(svg) for svg in training_curves(rows, folder.validation_rows())],
        'inspection': folder.read_json(INSPECTION_FILE),
        'views': _embedded(folder.path / SHEET_FILE),
        'judgement': folder.read_json(JUDGEMENT_FILE),
        'review': review,
        'shown_rows': _REVIEWED,
        'settings': named_settings(config),
        'config_text': config.pretty_text,
        'started': [start.noted for start in folder.starts if start.noted],
        'versions': describe_versions(),
        'data': data_sets(config),
        'images': _images(folder, config, num, checkpoint, compare, doubtful),
    }
    target = Path(out) if out is not None else folder.path / REPORT_FILE
    write_text(target, _environment().get_template('report.html.jinja').render(content))
    return target


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader('wsss_plugin.engine.run_report', ''),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters['shown'] = _shown
    return environment


def _shown(value: Any) -> str:
    """A value of a table."""
    if value is None:
        return '–'
    return f'{value:.4g}' if isinstance(value, float) else cut(value, 400)


def _images(
    folder: RunFolder,
    config: Config,
    num: int,
    checkpoint: str | Path | None,
    compare: str | Path | None,
    doubtful: Sequence[str],
) -> dict[str, Any]:
    given = folder.checkpoint() if checkpoint is None else Path(checkpoint)
    if given is not None and not given.is_file():
        raise MissingFileError(f'expected a checkpoint at {given}, found none; name another one')
    others = {} if compare is None or num == 0 else _others(compare, num)
    reason = 'not asked for' if num == 0 else 'no complete checkpoint' if given is None else ''
    if reason:
        return {'reason': reason}
    try:
        scores = ImageScores(config, str(given), num)
    except (FileNotFoundError, ConfigError) as error:
        return {'reason': str(error)}
    order = scores.ranking(doubtful)
    worst = order[:_SHOWN]
    best = order[_SHOWN:][::-1][:_SHOWN]
    by_class = scores.by_class()
    return {
        'reason': '',
        'checkpoint': str(given),
        'has_masks': scores.has_masks,
        'number': len(scores.indices),
        'protocol': scores.protocol(),
        'means': scores.means(),
        'by_class': by_class,
        'titles': scores.titles(),
        'bars': Markup(over_activation_bars(by_class, scores.titles(), others)),
        'worst': [_picture(*scores.panel(index)) for index in worst],
        'best': [_picture(*scores.panel(index)) for index in best],
    }


def _others(compare: str | Path, num: int) -> dict[str, Any]:
    other = RunFolder(compare)
    checkpoint = other.checkpoint()
    if checkpoint is None:
        raise MissingFileError(
            f'expected a complete checkpoint in {compare} to compare with, found none; train it, '
            'or leave --compare out'
        )
    scores = ImageScores(other.config(), str(checkpoint), num)
    return {other.path.resolve().name: scores.by_class()}


def _picture(path: str, panel: np.ndarray) -> Mapping[str, str]:
    return {'file': path, 'source': _source(Image.fromarray(panel))}


def _embedded(file: Path) -> str:
    if not file.is_file():
        return ''
    with Image.open(file) as picture:
        return _source(picture.convert('RGB'))


def _source(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format='JPEG', quality=_QUALITY)
    return f'data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'


def _review(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    with file.open(encoding='utf-8', newline='') as lines:
        rows = list(csv.reader(lines))
    if not rows:
        return None
    return {'head': rows[0], 'rows': rows[1 : 1 + _REVIEWED], 'number': len(rows) - 1}
