from types import SimpleNamespace

import pytest
import torch
from torch import nn

from wsss_plugin.engine.hooks import CheckpointShapeHook


def _runner(classes=3):
    model = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, classes))
    return SimpleNamespace(model=model)


def test_accepts_a_fitting_checkpoint():
    runner = _runner()
    weights = {f'module.{name}': value for name, value in runner.model.state_dict().items()}
    CheckpointShapeHook().after_load_checkpoint(runner, {'state_dict': weights})


def test_names_the_weight_of_another_number_of_classes():
    weights = _runner(classes=5).model.state_dict()
    with pytest.raises(ValueError, match=r'1\.bias of shape \(3,\).*received \(5,\).*num_classes'):
        CheckpointShapeHook().after_load_checkpoint(_runner(), {'state_dict': weights})


def test_lets_resizable_weights_pass():
    weights = _runner(classes=5).model.state_dict()
    hook = CheckpointShapeHook(resizable=('weight', 'bias'))
    hook.after_load_checkpoint(_runner(), {'state_dict': weights})


def test_refuses_the_checkpoint_of_another_model():
    with pytest.raises(ValueError, match='none of them'):
        CheckpointShapeHook().after_load_checkpoint(_runner(), {'state_dict': {'a': torch.ones(1)}})
