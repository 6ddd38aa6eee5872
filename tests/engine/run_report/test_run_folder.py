"""Starts of a training, joined by their iterations."""

import json

import pytest

from wsss_plugin.engine.run_report import RunFolder
from wsss_plugin.errors import DamagedFileError, MissingFileError


def _start(folder, time, rows, noted=None, tail=''):
    data = folder / time / 'vis_data'
    data.mkdir(parents=True)
    lines = [json.dumps(row) for row in rows]
    (data / 'scalars.json').write_text('\n'.join(lines) + '\n' + tail)
    (data / 'config.py').write_text(f'width = {len(rows)}')
    if noted:
        (data / 'start.json').write_text(json.dumps(noted))


def _rows(iterations, loss):
    return [{'iter': one, 'step': one, 'loss': loss} for one in iterations]


def _losses(folder):
    return {row['iter']: row['loss'] for row in RunFolder(folder).rows()}


def test_a_resumed_start_replaces_what_it_trains_again(tmp_path):
    # Killed in the middle of a line after iteration 5, resumed from iteration 3.
    _start(tmp_path, '1', _rows([1, 2, 3, 4, 5], 1.0), tail='{"iter": 6, "lo')
    _start(tmp_path, '2', _rows([4, 6], 2.0), {'iteration': 3})
    assert _losses(tmp_path) == {1: 1.0, 2: 1.0, 3: 1.0, 4: 2.0, 6: 2.0}


def test_without_a_note_a_start_begins_where_it_logs(tmp_path):
    _start(tmp_path, '1', _rows([50, 100, 150], 1.0))
    _start(tmp_path, '2', _rows([120, 170], 2.0))
    assert _losses(tmp_path) == {50: 1.0, 100: 1.0, 120: 2.0, 170: 2.0}


def test_a_start_that_logged_nothing_cuts_off_what_it_trains_again(tmp_path):
    _start(tmp_path, '1', _rows([2, 4], 1.0))
    _start(tmp_path, '2', [], {'iteration': 3})
    assert _losses(tmp_path) == {2: 1.0}


def test_other_runs_of_the_folder_are_left_out(tmp_path):
    _start(tmp_path, '1', _rows([1, 2, 3], 1.0), {'run': 'a', 'iteration': 0})
    _start(tmp_path, '2', _rows([2], 2.0), {'run': 'b', 'iteration': 0})
    (tmp_path / 'run.json').write_text('{"run": "b", "continues": null}')
    assert _losses(tmp_path) == {2: 2.0}
    assert [start.run for start in RunFolder(tmp_path).starts] == ['b']


def test_validations_are_told_from_the_training(tmp_path):
    _start(tmp_path, '1', [*_rows([1, 2], 1.0), {'mIoU': 30.0, 'step': 2}])
    folder = RunFolder(tmp_path)
    assert folder.validation_rows() == [{'mIoU': 30.0, 'step': 2, 'iter': 2}]
    assert len(folder.rows()) == 2


def test_the_config_is_that_of_the_latest_start(tmp_path):
    _start(tmp_path, '1', _rows([1], 1.0))
    _start(tmp_path, '2', _rows([2, 3], 1.0))
    # A test has a folder of the same kind.
    (tmp_path / '3' / 'vis_data').mkdir(parents=True)
    (tmp_path / '3' / 'vis_data' / 'config.py').write_text('width = 9')
    assert RunFolder(tmp_path).config().width == 2


def test_errors(tmp_path):
    with pytest.raises(MissingFileError, match='work folder of a training'):
        RunFolder(tmp_path)
    _start(tmp_path, '1', _rows([1], 1.0))
    (tmp_path / 'judgement.json').write_text('{')
    with pytest.raises(DamagedFileError, match=r'judgement\.json'):
        RunFolder(tmp_path).read_json('judgement.json')
    assert RunFolder(tmp_path).read_json('inspection.json') is None
