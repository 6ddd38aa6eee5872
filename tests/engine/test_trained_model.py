from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from torch import nn

from wsss_plugin.engine.trained_model import load_trained_model


@MODELS.register_module(force=True)
class TinyTrainedModel(BaseModel):
    """Would notice an initialisation, which may load pretrained weights."""

    def __init__(self, classes=3, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.norm = nn.SyncBatchNorm(2)
        self.head = nn.Linear(2, classes)

    def init_weights(self):
        raise FileNotFoundError('expected pretrained weights')

    def forward(self, inputs):
        return self.head(self.norm(inputs))


@pytest.fixture
def checkpoint(tmp_path):
    """Weights as a data-parallel training with a moving average saves them."""
    weights = {f'module.{key}': value for key, value in TinyTrainedModel().state_dict().items()}
    content = {
        'state_dict': weights,
        'ema_state_dict': {key: value * 0 for key, value in weights.items()},
        'meta': {'dataset_meta': {'classes': ('background', 'thing')}},
    }
    torch.save(content, tmp_path / 'iter_1.pth')
    return tmp_path / 'iter_1.pth'


def _config(tmp_path, **content):
    model = dict(type='TinyTrainedModel')
    return Config(dict(model=model, work_dir=str(tmp_path / 'work'), **content))


def test_weights_mode_and_meta(tmp_path, checkpoint):
    model, meta = load_trained_model(_config(tmp_path), str(checkpoint))
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    for name, weight in model.state_dict().items():
        assert torch.equal(weight.cpu(), saved[f'module.{name}'])
    assert not model.training
    assert meta == {'classes': ('background', 'thing')}
    device = model.head.weight.device
    assert device.type == ('cuda' if torch.cuda.is_available() else 'cpu')
    # Synchronised statistics would need a GPU and several processes.
    assert model(torch.ones(4, 2, device=device)).shape == (4, 3)


def test_hooks_of_the_training_are_not_needed_and_nothing_is_written(tmp_path, checkpoint):
    before = sorted(tmp_path.rglob('*'))
    config = _config(tmp_path, custom_hooks=[dict(type='EMAHook')])
    load_trained_model(config, str(checkpoint))
    assert sorted(tmp_path.rglob('*')) == before


def test_weights_alone_have_no_meta(tmp_path):
    torch.save(TinyTrainedModel().state_dict(), tmp_path / 'bare.pth')
    assert load_trained_model(_config(tmp_path), str(tmp_path / 'bare.pth'))[1] == {}


def test_a_data_preprocessor_beside_the_model_is_used(tmp_path, checkpoint):
    beside = dict(type='SegDataPreProcessor', mean=[1.0, 2, 3], std=[1, 1, 1])
    model, _ = load_trained_model(_config(tmp_path, data_preprocessor=beside), str(checkpoint))
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


def test_weights_that_do_not_fit(tmp_path, checkpoint):
    config = _config(tmp_path)
    config.model.classes = 5
    with pytest.raises(ValueError, match=r'head\.bias of shape \(5,\).*received \(3,\)'):
        load_trained_model(config, str(checkpoint))


def test_weights_that_the_model_resizes_are_let_through(tmp_path, checkpoint):
    """The hook's names are passed on; this model resizes nothing, of which the toolbox warns."""
    hook = dict(type='CheckpointShapeHook', resizable=('weight', 'bias'))
    config = _config(tmp_path, custom_hooks=[hook])
    config.model.classes = 5
    load_trained_model(config, str(checkpoint))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.pth'):
        load_trained_model(_config(tmp_path), str(tmp_path / 'none.pth'))
