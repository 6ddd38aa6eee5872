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


def test_writes_the_metrics(tool, config_file, tmp_path, monkeypatch):
    test = tool('test')
    runner = SimpleNamespace(test=lambda: {'mIoU': 50, 'cam/mIoU': 25.5})
    monkeypatch.setattr(test.Runner, 'from_cfg', lambda _: runner)
    out = tmp_path / 'new' / 'metrics.json'
    test.main([config_file, 'a.pth', '--out', str(out)])
    assert json.loads(out.read_text()) == {'mIoU': 50.0, 'cam/mIoU': 25.5}


def test_what_has_no_value_is_null(tool, config_file, tmp_path, monkeypatch):
    test = tool('test')
    runner = SimpleNamespace(test=lambda: {'mIoU': np.float64('nan'), 'aAcc': 50})
    monkeypatch.setattr(test.Runner, 'from_cfg', lambda _: runner)
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
