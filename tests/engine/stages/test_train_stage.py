from __future__ import annotations

import pytest
import torch

from wsss_plugin.engine.run_identity import write_run
from wsss_plugin.engine.stages import ExportStage, TrainStage

_CONFIG = """
work_dir = 'elsewhere'
model = dict(width=1)
load_part = dict(checkpoint='by_hand.pth', modules=('backbone',))
train_dataloader = dict(batch_size=2, dataset=dict(label_dir='by_hand'))
train_cfg = dict(max_iters=4)
test_dataloader = dict(batch_size=1)
"""


@pytest.fixture
def train(place, tmp_path):
    (tmp_path / 'train.py').write_text(_CONFIG)

    def train(name='cam', earlier=None, **given):
        return TrainStage(name, dict(train='train.py', **given), place(**(earlier or {})))

    return train


def _saved(folder, iteration, **weights):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'iter_{iteration}.pth'
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    meta = dict(iter=iteration, epoch=0, run='r')
    content = dict(state_dict=weights, optimizer={}, message_hub=hub, meta=meta)
    torch.save(content, path)
    return path


def test_inputs_get_their_paths_in_the_config(train, place, tmp_path):
    cam = train()
    labels = ExportStage('labels', dict(export='cam'), place(cam=cam))
    given = dict(load_part='cam', label_dir='labels', inputs={'model.maps': 'labels'})
    stage = train('last', dict(cam=cam, labels=labels), **given)
    config = stage.config()
    assert config.load_part.checkpoint == str(tmp_path / 'work' / 'cam' / 'iter_4.pth')
    assert config.load_part.modules == ('backbone',)
    folder = str(tmp_path / 'work' / 'labels')
    assert config.train_dataloader.dataset.label_dir == config.model.maps == folder
    assert stage.input_fingerprints(dict(cam='1', labels='2')) == {
        'load_part.checkpoint': '1',
        'train_dataloader.dataset.label_dir': '2',
        'model.maps': '2',
    }
    # Where they lie is not among the settings.
    (tmp_path / 'train.py').write_text(_CONFIG.replace('by_hand', 'elsewhere'))
    before = stage.settings()
    assert train('last', dict(cam=cam, labels=labels), **given).settings() == before
    assert train().settings() != before


def test_several_folders_of_labels(train, place, tmp_path):
    cam = train()
    labels = ExportStage('labels', dict(export='cam'), place(cam=cam))
    corrected = tmp_path / 'corrected'
    corrected.mkdir()
    (corrected / 'a.png').write_text('a')
    folders = [dict(folder=str(corrected), weight=2.0), 'labels']
    stage = train('last', dict(cam=cam, labels=labels), label_dir=folders)
    assert stage.config().train_dataloader.dataset.label_dir == [
        dict(folder=str(corrected), weight=2.0),
        str(tmp_path / 'work' / 'labels'),
    ]
    before = stage.input_fingerprints(dict(labels='2'))
    assert len(before) == 2
    (corrected / 'a.png').write_text('b')
    after = stage.input_fingerprints(dict(labels='2'))
    assert [key for key in before if before[key] != after[key]] == [
        'train_dataloader.dataset.label_dir.0.folder'
    ]
    folders = [dict(folder=str(corrected), weight=3.0), 'labels']
    heavier = train('last', dict(cam=cam, labels=labels), label_dir=folders)
    assert heavier.settings() != stage.settings()


def test_settings_are_those_of_the_training(train):
    before = train().settings()
    assert train(cfg_options={'test_dataloader.batch_size': 4}).settings() == before
    assert train(cfg_options={'train_dataloader.batch_size': 4}).settings() != before
    assert train(options=dict(amp=True)).settings() != before


def test_the_call(train, tmp_path):
    call = train(options=dict(amp=True)).call(tmp_path / 'a.py')
    options = ['--work-dir', str(tmp_path / 'work' / 'cam'), '--resume', '--amp']
    assert (call.script, call.positional, call.options) == (
        'train.py',
        [str(tmp_path / 'a.py')],
        options,
    )


def test_what_is_there_of_a_training(train, tmp_path):
    stage, folder = train(), tmp_path / 'work' / 'cam'
    assert stage.lacks().endswith('iter_4.pth does not exist')
    assert (stage.progress(), stage.run) == ('', '')
    write_run(folder, 'r')
    _saved(folder, 2, a=torch.zeros(1))
    assert (stage.progress(), stage.run) == ('iter_2 of iter_4', 'r')
    path = _saved(folder, 4, a=torch.ones(1))
    assert stage.lacks() == ''
    before = stage.output_fingerprint()
    _saved(folder, 4, a=torch.zeros(1))
    assert stage.output_fingerprint() != before
    path.write_bytes(path.read_bytes()[:200])
    assert 'iter_4.pth' in stage.lacks()


def test_a_training_by_epochs(train):
    options = {'train_cfg.max_iters': None, 'train_cfg.max_epochs': 3}
    assert train(cfg_options=options).output.name == 'epoch_3.pth'
