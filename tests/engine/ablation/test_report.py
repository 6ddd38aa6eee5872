import dataclasses
import json

from mmengine.config import Config

from wsss_plugin.engine.ablation import Row, Run, RunRecord, report


def _row(folder, name, mious, **metrics):
    config = Config(
        dict(
            model=dict(type='EncoderDecoder', decode_head=dict()),
            train_cfg=dict(max_iters=7),
            train_dataloader=dict(batch_size=2),
            test_evaluator=[dict(type='Other'), dict(type='WSSSMetric', cam_threshold=0.4)],
        )
    )
    runs = []
    for seed, miou in enumerate(mious):
        run = Run(f'{name} seed {seed}', folder / name / f'seed_{seed}', config)
        run.folder.mkdir(parents=True)
        if miou is not None:
            run.metrics_file('metrics').write_text(json.dumps({'mIoU': miou, **metrics}))
            run.machine_file.write_text('here')
        runs.append(run)
    return Row(name, config, tuple(runs))


def _report(rows):
    return report(rows, 'toy', 'make it', [0, 1], reference='full')


def test_mean_spread_and_share_of_the_reference(tmp_path):
    rows = [_row(tmp_path, 'full', [60.0, 80.0]), _row(tmp_path, 'weak', [35.0, 35.0])]
    text = _report(rows)
    assert '| full | 2 | 70.0 ± 14.1 | 1.000 |' in text
    assert '| weak | 2 | 35.0 ± 0.0 | 0.500 |' in text
    assert 'Written by\n\n```bash\nmake it\n```\n' in text
    assert 'Seeds: 0, 1; finished: 4 of 4 runs. Budget of a run: 7 iterations x 2 images.' in text


def test_what_is_open_is_left_out(tmp_path):
    text = _report([_row(tmp_path, 'full', [60.0, None]), _row(tmp_path, 'weak', [None, None])])
    assert '| full | 1 | 60.0 | 1.000 |' in text
    assert '| weak | 0 |  |  |' in text
    assert 'finished: 1 of 4 runs' in text


def test_rows_of_equal_content_name_the_first(tmp_path):
    row = _row(tmp_path, 'full', [60.0, 60.0], **{'cam/mIoU': 50.0})
    text = _report([row, Row('same', row.config, row.runs)])
    assert '| same (= full) | 2 | 60.0 ± 0.0 | 1.000 |' in text
    assert 'CAM at 0.4' in text
    assert 'finished: 2 of 2 runs' in text


def test_columns_are_the_cams_that_were_measured(tmp_path):
    measured = {'clip_cam/mIoU': 41.0, 'cam/mIoU': 50.0, 'multi_scale/aux_cam/mIoU': 9.0}
    text = _report([_row(tmp_path, 'full', [60.0], **measured)])
    assert '| config | CAM at 0.4 | best | at | OA | clip CAM at 0.4 | best | at | OA |' in text
    assert 'aux CAM' not in text
    assert '## CAMs' not in _report([_row(tmp_path, 'weak', [60.0])])


def test_pseudo_labels_of_one_split(tmp_path):
    text = _report([_row(tmp_path, 'full', [60.0], **{'walk_pseudo_label/mIoU': 50.0})])
    assert '| full: walk label | 50.0 |  |  |  |  |  |' in text


def test_old_figures_are_marked_with_their_version(tmp_path):
    rows = [_row(tmp_path, 'full', [60.0]), _row(tmp_path, 'weak', [None])]
    assert '"old"' not in _report(rows)
    file = tmp_path / 'record.json'
    figures = {'metrics': {'mIoU': 30.0, 'cam/mIoU': 20.0}}
    RunRecord(figures, {'cat': 9.0}, machine='there', version='0.9', digest='former').write(file)
    run = dataclasses.replace(rows[1].runs[0], record_file=file, digest='new')
    text = _report([rows[0], dataclasses.replace(rows[1], runs=(run,))])
    assert '| weak (old: version 0.9) | 1 | 30.0 | 0.500 |' in text
    assert '| weak (old: version 0.9) | 20.0 |' in text
    assert '| weak (old: version 0.9) | 9.0 |' in text
    assert 'finished: 1 of 2 runs' in text
    assert 'Made on: here / there.' in text
    assert '"old" rows were measured before' in text


def test_pseudo_labels_on_both_splits_and_iou_by_class(tmp_path):
    figures = {'mIoU': 60.0, 'cam/mIoU': 40.0, 'walk_pseudo_label/mIoU': 50.0}
    train = {'cam/mIoU': 45.0, 'walk_pseudo_label/mIoU': 55.0}
    rates = {'walk_pseudo_label/labelled': 90.0, 'walk_pseudo_label/over_activation': 30.0}
    iou = {'segmentation': {'cat': 61.0}, 'walk_pseudo_label': {'cat': 51.0}}
    record = RunRecord({'metrics': {**figures, **rates}, 'train': train}, iou=iou, digest='d')
    record.write(tmp_path / 'record.json')
    row = _row(tmp_path, 'full', [None])
    run = dataclasses.replace(row.runs[0], record_file=tmp_path / 'record.json', digest='d')
    text = _report([dataclasses.replace(row, runs=(run,)), _row(tmp_path, 'weak', [60.0])])
    assert '| full: walk label | 50.0 | 90.0 | 30.0 | 55.0 |  |  |' in text
    assert '| full | 40.0 |  |  |  | 45.0 |' in text
    assert '| config | cat |' in text
    assert '| full | 61.0 |' in text
    assert '| full: walk label | 51.0 |' in text
    assert '"labelled" is the share' in text


def test_a_long_command_is_broken_between_its_words(tmp_path):
    words = ['make', *(f'configs/row_{index}.py' for index in range(20)), '--title', "'two words'"]
    text = report([_row(tmp_path, 'full', [60.0])], 'toy', ' '.join(words), [0], reference='full')
    command = text.split('```bash\n')[1].split('\n```')[0]
    assert max(map(len, command.split('\n'))) <= 102
    assert len(command.split('\n')) > 3
    assert command.replace(' \\\n ', '') == ' '.join(words)
    assert "'two words'" in command
