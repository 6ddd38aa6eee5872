"""Exports, tests and scores as stages."""

from __future__ import annotations

import json

import pytest

from wsss_plugin.engine.stages import EvaluationStage, ExportStage, ScoreStage, TrainStage
from wsss_plugin.errors import ConfigError

_CONFIG = """
model = dict(width=1)
load_part = dict(checkpoint='by_hand.pth', modules=('backbone',))
train_cfg = dict(max_iters=4)
test_dataloader = dict(dataset=dict(ann_file='val.txt'))
"""


@pytest.fixture
def cam(place, tmp_path):
    (tmp_path / 'train.py').write_text(_CONFIG)
    return TrainStage('cam', dict(train='train.py', cfg_options={'model.width': 2}), place())


@pytest.fixture
def export(cam, place):
    def export(**given):
        return ExportStage('labels', dict(export='cam', **given), place(cam=cam))

    return export


def test_the_config_is_that_of_the_training_or_another(export, tmp_path):
    config = export(cfg_options={'model.depth': 3}).config()
    assert config.model == dict(width=2, depth=3)
    # Its weights come from the checkpoint alone.
    assert config.load_part is None
    (tmp_path / 'other.py').write_text('model = dict(width=5)')
    assert export(config='other.py').config().model == dict(width=5)


def test_arguments_of_an_export(export, cam, tmp_path):
    options = dict(cams='final+cnn', low=0.2, no_tags=True, ignore=None)
    stage = export(options=options, inputs=dict(walk='cam'))
    checkpoint = str(tmp_path / 'work' / 'cam' / 'iter_4.pth')
    call = stage.call(tmp_path / 'a.py')
    assert call.positional == [str(tmp_path / 'a.py'), checkpoint]
    assert call.options[2:] == [
        *('--cams', 'final+cnn', '--low', '0.2', '--no-tags', '--walk', checkpoint)
    ]
    assert stage.inputs == {'export': cam, 'walk': cam}
    assert stage.settings() != export(options=dict(options, low=0.3)).settings()


def _write(folder, **labels):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in labels.items():
        (folder / f'{name}.png').write_text(text)
    manifest = dict(kind='pseudo labels', classes=['a', 'b'], images=['x', 'y'], ignore=255)
    (folder / 'manifest.json').write_text(json.dumps(manifest))


def test_what_is_there_of_an_export(export, tmp_path):
    stage, folder = export(), tmp_path / 'work' / 'labels'
    assert 'manifest.json' in stage.lacks()
    _write(folder, x='1')
    assert stage.lacks() == '1 files are missing: y.png'
    assert stage.progress() == '1 files'
    _write(folder, y='2')
    assert stage.lacks() == ''
    before = stage.output_fingerprint()
    (folder / 'settings.json').write_text('{}')
    assert stage.output_fingerprint() == before
    _write(folder, y='3')
    assert stage.output_fingerprint() != before


def test_scores_of_cams_are_no_labels(export, cam, place, tmp_path):
    stage, folder = export(options=dict(scores='cams')), tmp_path / 'work' / 'labels'
    _write(folder, x='1', y='2')
    assert stage.lacks() == '2 files are missing: x.npz, y.npz'
    walked = dict(export='cam', inputs=dict(cams_from='labels'))
    call = ExportStage('walk', walked, place(cam=cam, labels=stage)).call(tmp_path / 'a.py')
    assert call.options[-2:] == ['--cams-from', str(folder)]
    with pytest.raises(ConfigError, match=r'label_dir: expected .* that makes labels \(here none'):
        TrainStage('b', dict(train='train.py', label_dir='labels'), place(cam=cam, labels=stage))


@pytest.mark.parametrize('kind', [EvaluationStage, ScoreStage])
def test_figures_of_a_checkpoint(kind, cam, place, tmp_path):
    stage = kind('figures', {kind.KIND: 'cam', 'options': dict(num=3)}, place(cam=cam))
    folder = tmp_path / 'work' / 'figures'
    call = stage.call(tmp_path / 'a.py')
    assert call.positional[1] == str(tmp_path / 'work' / 'cam' / 'iter_4.pth')
    assert call.options[-4:] == ['--out', str(folder / 'scores.json'), '--num', '3']
    assert stage.lacks().endswith('does not exist')
    folder.mkdir(parents=True)
    (folder / 'scores.json').write_text('{')
    assert 'scores.json' in stage.lacks()
    (folder / 'scores.json').write_text('{}')
    assert stage.lacks() == ''


def test_scores_of_labels(export, cam, place, tmp_path):
    labels = export()
    stage = ScoreStage('score', dict(score='labels'), place(cam=cam, labels=labels))
    call = stage.call(tmp_path / 'a.py')
    assert call.positional == [str(tmp_path / 'a.py')]
    assert call.options[-2:] == ['--label-dir', str(tmp_path / 'work' / 'labels')]
    with pytest.raises(ConfigError, match='that makes checkpoint'):
        EvaluationStage('test', dict(test='labels'), place(cam=cam, labels=labels))
