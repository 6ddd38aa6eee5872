import dataclasses
import math

import pytest

from wsss_plugin.engine.ablation import RunRecord

_RECORD = RunRecord(
    tests={'metrics': {'mIoU': 60.0, 'false_negative': None}},
    over_activation={'cat': 25.0},
    minutes=7.5,
    machine='here',
    version='1.0',
    commit='abc',
    digest='12',
    equal=('34',),
)


def test_it_is_read_as_it_was_written(tmp_path):
    path = tmp_path / 'folder' / 'seed_0.json'
    _RECORD.write(path)
    assert RunRecord.read(path) == _RECORD
    assert [file.name for file in path.parent.iterdir()] == ['seed_0.json']


def test_metrics_have_the_name_of_their_test():
    tests = {'metrics': {'mIoU': 60.0}, 'multi_scale': {'crf/mIoU': None}}
    metrics = RunRecord(tests=tests).metrics
    assert metrics['mIoU'] == 60.0
    assert math.isnan(metrics['multi_scale/crf/mIoU'])


def test_later_figures_win_and_missing_ones_change_nothing():
    assert _RECORD.updated(RunRecord()) == _RECORD
    assert RunRecord().updated(_RECORD) == _RECORD
    figures = ({'metrics': {'mIoU': 61.0}}, {'cat': 20.0}, 8.0, 'elsewhere')
    later = RunRecord(*figures, version='2.0', commit='def', digest='34')
    # What was shown equal stays so.
    assert _RECORD.updated(later) == dataclasses.replace(later, equal=('12',))


def test_it_is_of_the_configs_that_compute_the_same():
    assert _RECORD.is_of('12')
    assert _RECORD.is_of('34')
    assert not _RECORD.is_of('56')
    assert not RunRecord().is_of('12')


@pytest.mark.parametrize('text', ['{"tests": {', '[]', '{"seeds": 3}', 'null'])
def test_other_content_is_refused(tmp_path, text):
    path = tmp_path / 'seed_0.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'seed_0\.json: expected the record of a run'):
        RunRecord.read(path)
