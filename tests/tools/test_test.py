import json
from types import SimpleNamespace

import numpy as np
import pytest

_TEXT = """
model = dict(type='A', test_cfg=dict(mode='whole'))
test_dataloader = dict(dataset=dict(pipeline=[]))
test_evaluator = dict(type='WSSSMetric')
tta_model = dict(type='SegTTAModel')
tta_pipeline = [dict(type='TestTimeAug', transforms=[[dict(type='Resize', scale_factor=0.5)]])]
default_hooks = dict(visualization=dict(type='SegVisualizationHook'))
visualizer = dict(type='SegLocalVisualizer')
"""


@pytest.fixture
def config_file(tmp_path):
    file = tmp_path / 'some.py'
    file.write_text(_TEXT)
    return str(file)


def _build(tool, *arguments):
    test = tool('test')
    return test.build_config(test.parse_args(arguments))


def test_plain_test_changes_only_the_checkpoint(tool, config_file):
    config = _build(tool, config_file, 'a.pth')
    assert config.load_from == 'a.pth'
    assert config.model == {'type': 'A', 'test_cfg': {'mode': 'whole'}}
    assert config.test_evaluator == {'type': 'WSSSMetric'}


def test_the_training_s_config_is_not_overwritten(tool, config_file):
    assert _build(tool, config_file, 'a.pth').work_dir == 'work_dirs/some/test'
    assert _build(tool, config_file, 'a.pth', '--work-dir', 'given').work_dir == 'given'


def test_switches_change_the_config(tool, config_file):
    arguments = ['--tta', '--crf', '--crf-workers', '1', '--show-dir', 'pictures']
    config = _build(tool, config_file, 'a.pth', *arguments)
    assert config.model.type == 'SegTTAModel'
    assert not config.model.module.test_cfg.cam
    assert config.test_evaluator.crf == {}
    assert config.test_evaluator.crf_workers == 1
    assert config.test_evaluator.scales == (0.5,)
    assert config.visualizer.save_dir == 'pictures'


def test_cams_are_scored_without_augmentation(tool, config_file, capsys):
    assert _build(tool, config_file, 'a.pth', '--cam').model.test_cfg.cam
    with pytest.raises(SystemExit):
        _build(tool, config_file, 'a.pth', '--cam', '--tta')
    assert 'expected --cam or --tta' in capsys.readouterr().err


def test_labels_and_a_few_training_images(tool, config_file, monkeypatch, capsys):
    monkeypatch.setattr(tool('test'), 'score_split', lambda *given: asked.append(given[1:]))
    asked = []
    known = ['--cfg-options', 'model.type=EncoderDecoder']
    switches = ['--labels', '--split', 'train', '--num', '3']
    config = _build(tool, config_file, 'a.pth', *switches, *known)
    assert config.model.test_cfg.pseudo_label
    assert asked == [('train', 3)]
    for wrong in (['--labels', '--tta'], ['--num', '0']):
        with pytest.raises(SystemExit):
            _build(tool, config_file, 'a.pth', *wrong)
        assert 'expected' in capsys.readouterr().err


def test_images_at_once(tool, config_file, capsys):
    own = ['--cfg-options', 'test_dataloader.batch_size=2']
    for flags, expected in (
        ([], 1),
        (['--batch-size', '5'], 5),
        (['--batch-size', '5', *own], 5),
        (own, 2),
    ):
        config = _build(tool, config_file, 'a.pth', *flags)
        assert config.test_dataloader.batch_size == expected
    assert 'test_cfg' not in config
    # CAMs of all scales are not multiplied by themselves.
    config = _build(tool, config_file, 'a.pth', '--cam')
    assert 'batch_size' not in config.test_dataloader
    with pytest.raises(SystemExit):
        _build(tool, config_file, 'a.pth', '--batch-size', '0')
    assert 'expected --batch-size >= 1' in capsys.readouterr().err


def test_writes_the_metrics(tool, config_file, tmp_path, monkeypatch):
    test = tool('test')
    runner = SimpleNamespace(test=lambda: {'mIoU': 50, 'cam/mIoU': 25.5})
    monkeypatch.setattr(test.QuietRunner, 'from_cfg', lambda _: runner)
    out = tmp_path / 'new' / 'metrics.json'
    test.main([config_file, 'a.pth', '--out', str(out)])
    assert json.loads(out.read_text()) == {'mIoU': 50.0, 'cam/mIoU': 25.5}


def test_what_has_no_value_is_null(tool, config_file, tmp_path, monkeypatch):
    test = tool('test')
    runner = SimpleNamespace(test=lambda: {'mIoU': np.float64('nan'), 'aAcc': 50})
    monkeypatch.setattr(test.QuietRunner, 'from_cfg', lambda _: runner)
    out = tmp_path / 'metrics.json'
    test.main([config_file, 'a.pth', '--out', str(out)])
    assert json.loads(out.read_text(), parse_constant=pytest.fail) == {'mIoU': None, 'aAcc': 50.0}


def test_all_switches_together(run, shapes, checkpoint, tmp_path):
    out, pictures = tmp_path / 'metrics.json', tmp_path / 'pictures'
    flags = ['--tta', '--crf', '--crf-workers', '1', '--out', str(out)]
    flags += ['--show-dir', str(pictures)]
    # As in the config that a resumed training leaves behind: a test restores no optimiser.
    run('test', shapes, 'resume=True', flags=flags, checkpoint=checkpoint)
    metrics = json.loads(out.read_text())
    assert {'mIoU', 'crf/mIoU', 'group/partial_activation/mIoU'} <= set(metrics)
    drawn = sorted(path.name for path in pictures.rglob('*.png'))
    assert [name.split('.')[0] for name in drawn] == ['test_val_00000', 'test_val_00001']


def test_all_scores_nothing_else(tool, config_file, capsys):
    for other in ('--tta', '--crf', '--cam', '--labels'):
        with pytest.raises(SystemExit):
            _build(tool, config_file, 'a.pth', '--all', other)
        assert f'expected --all or {other}' in capsys.readouterr().err
    config = _build(tool, config_file, 'a.pth', '--all', '--crf-workers', '1', '--show-dir', 'a')
    assert config.model == {'type': 'A', 'test_cfg': {'mode': 'whole'}}
    assert config.test_evaluator == {'type': 'WSSSMetric'}


def test_all_scores_in_one_table(run, shapes, checkpoint, tmp_path, capfd):
    out, pictures, work_dir = (tmp_path / name for name in ('scores.json', 'pictures', 'tested'))
    flags = ['--all', '--crf-workers', '1', '--out', str(out), '--show-dir', str(pictures)]
    options = ['test_evaluator.boundary=True', f'test_evaluator.out_file={tmp_path}/full.json']
    run('test', shapes, *options, flags=flags, checkpoint=checkpoint, work_dir=work_dir)
    rows = json.loads(out.read_text())
    assert list(rows) == ['raw', 'multi-scale', 'multi-scale + CRF']
    # A row has the scores that the evaluator wrote beside their protocol.
    for name, test, prefix in zip(
        rows, ('raw', 'multi_scale', 'multi_scale'), ('', '', 'crf/'), strict=True
    ):
        content = json.loads((tmp_path / f'full_{test}.json').read_text())
        metrics = rows[name]['metrics']
        assert metrics['mIoU'] == content['metrics'][f'{prefix}mIoU']
        assert metrics['boundary_mIoU'] == content['metrics'][f'{prefix}boundary_mIoU']
        assert rows[name]['scales'] == ([1.0] if name == 'raw' else [1.0, 1.25, 1.5])
        assert (content['protocol']['CRF'] == 'off') == (test == 'raw')
        assert sum(1 for _ in (pictures / test).rglob('*.png')) == 2
        assert list((work_dir / test).rglob('*.log'))
    assert not any('crf' in name for row in rows.values() for name in row['metrics'])
    printed = capfd.readouterr().out
    table = printed[printed.rindex('| Scores') :].splitlines()
    assert [line.split('|')[1].strip() for line in table[2:5]] == list(rows)
