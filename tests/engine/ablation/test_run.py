import dataclasses
import json
import math
import shutil

import pytest

from wsss_plugin.engine.ablation import RunRecord


def _log(run, name, *lines):
    file = run.folder / name / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(lines))


def test_minutes_are_the_log_s_iteration_time(run):
    steps = ['{"loss": 1.0, "time": 50.0}', '{"loss": 1.0, "time": 70.0}', '{"mIoU": 3.0}']
    _log(run, '20260101_000000', *steps, '{"loss": 1.0, "ti')
    assert run.result.minutes == 7.0


def test_without_a_log_there_is_no_time(run):
    assert run.result.minutes is None
    assert run.reached == 0


def test_reached_is_the_last_whole_line_of_the_newest_log(run):
    _log(run, '20260101_000000', '{"loss": 1.0, "step": 5}\n')
    _log(run, '20260102_000000', '{"loss": 1.0, "step": 6}', '{"loss": 1.0, "st')
    assert run.reached == 6


@pytest.mark.parametrize(
    ('last', 'trained'),
    [(None, False), ('iter_4.pth', False), ('elsewhere/iter_7.pth\n', True)],
)
def test_a_checkpoint_counts_once_it_is_noted(run, last, trained):
    """MMEngine notes the name of a checkpoint once it is saved."""
    run.checkpoint.write_text('')
    if last:
        (run.folder / 'last_checkpoint').write_text(last)
    assert run.trained is trained


def test_metrics_of_all_tests(run):
    run.metrics_file('metrics').write_text(json.dumps({'mIoU': 60.0, 'false_negative': None}))
    assert run.done
    assert run.result.metrics['mIoU'] == 60.0
    assert math.isnan(run.result.metrics['false_negative'])


def test_over_activation_leaves_out_background_and_absent_classes(run):
    rates = {'background': 1.0, 'cat': 25.0, 'absent': None}
    classes = {name: {'segmentation': {'over_activation': rate}} for name, rate in rates.items()}
    assert run.result.over_activation == {}
    run.metrics_file('metrics').write_text('{}')
    run.classes_file('metrics').write_text(json.dumps({'classes': classes}))
    assert run.result.over_activation == {'cat': 25.0}


def test_a_file_that_is_being_written_is_not_read(run):
    """Tables are made while other runs are tested."""
    run.classes_file('metrics').write_text('{"classes": {"backgr')
    assert not run.done
    assert run.result.over_activation == {}


def _recorded(run, tests=('metrics',)):
    return dataclasses.replace(run, tests=tests, record_file=run.folder.parent / 'kept' / '0.json')


def test_a_record_stands_in_for_the_folder(run):
    run = _recorded(run)
    run.metrics_file('metrics').write_text(json.dumps({'mIoU': 60.0}))
    run.machine_file.write_text('here')
    run.keep()
    found = run.result
    shutil.rmtree(run.folder)
    assert run.done
    assert run.result == found
    assert found.machine == 'here'


def test_a_test_that_is_not_recorded_is_open(run):
    run = _recorded(run, ('metrics', 'multi_scale'))
    run.metrics_file('metrics').write_text(json.dumps({'mIoU': 60.0}))
    run.keep()
    assert not run.done
    run.metrics_file('multi_scale').write_text(json.dumps({'mIoU': 62.0}))
    assert run.done
    assert run.result.metrics == {'mIoU': 60.0, 'multi_scale/mIoU': 62.0}


def test_without_a_place_nothing_is_kept(run):
    before = set(run.folder.parent.rglob('*'))
    run.keep()
    assert set(run.folder.parent.rglob('*')) == before


def test_a_record_of_another_content_is_old(run):
    run = dataclasses.replace(_recorded(run), digest='new')
    former = RunRecord({'metrics': {'mIoU': 60.0}}, version='1.0', digest='former')
    former.write(run.record_file)
    assert not run.done
    assert run.result == RunRecord()
    assert run.old == former
    equal = dataclasses.replace(former, equal=('new',))
    equal.write(run.record_file)
    assert run.done
    assert run.old is None
    assert run.result == equal


def test_a_new_record_takes_the_place_of_an_old_one(run):
    run = dataclasses.replace(_recorded(run, ('metrics', 'multi_scale')), digest='new')
    tests = {'metrics': {'mIoU': 60.0}, 'multi_scale': {'mIoU': 62.0}}
    RunRecord(tests, {'cat': 3.0}, 9.0, 'there', '1.0', 'abc', 'former').write(run.record_file)
    run.metrics_file('metrics').write_text(json.dumps({'mIoU': 50.0}))
    run.program_file.write_text(json.dumps(dict(version='2.0', commit='def')))
    run.keep()
    expected = RunRecord(
        {'metrics': {'mIoU': 50.0}}, version='2.0', commit='def', digest='new', equal=()
    )
    assert RunRecord.read(run.record_file) == expected
    assert run.old is None


def test_iou_by_class_of_every_prediction_and_test(run):
    run = dataclasses.replace(run, extra=('train',))
    for test, value in (('metrics', 50.0), ('train', 70.0)):
        rates = {'segmentation': {'iou': value}, 'pseudo_label': {'iou': None}}
        run.metrics_file(test).write_text('{}')
        run.classes_file(test).write_text(json.dumps({'classes': {'background': rates}}))
    expected = {'segmentation': {'background': 50.0}, 'train/segmentation': {'background': 70.0}}
    assert {key: run.result.iou[key] for key in expected} == expected
    assert set(run.result.iou) == set(expected)


def test_what_was_finished_before_other_tests_were_made_stays_so(run):
    run = dataclasses.replace(_recorded(run), extra=('train',))
    run.metrics_file('metrics').write_text(json.dumps({'mIoU': 60.0}))
    run.keep()
    assert run.done
    assert run.result.metrics == {'mIoU': 60.0}
    run.metrics_file('train').write_text(json.dumps({'mIoU': 80.0}))
    assert run.result.metrics == {'mIoU': 60.0, 'train/mIoU': 80.0}
