import pytest
import torch
from mmseg.models import SegTTAModel
from torch import nn

from wsss_plugin.engine.checkpoint_fit import check_weights_fit


def _model(classes=3):
    return nn.Sequential(nn.Linear(2, 4), nn.Linear(4, classes))


def test_accepts_weights_with_and_without_their_wrapping():
    model = _model()
    weights = {f'module.{name}': value for name, value in model.state_dict().items()}
    check_weights_fit(model, {'state_dict': weights})
    check_weights_fit(model, model.state_dict())


def test_looks_behind_augmentation():
    model = _model()
    model.test_step = None  # asked for by the wrapper
    with pytest.raises(ValueError, match=r'1\.bias of shape \(3,\)'):
        check_weights_fit(SegTTAModel(model), _model(classes=5).state_dict())


def test_names_the_weight_of_another_number_of_classes():
    with pytest.raises(ValueError, match=r'1\.bias of shape \(3,\).*received \(5,\).*num_classes'):
        check_weights_fit(_model(), {'state_dict': _model(classes=5).state_dict()})


def test_lets_resizable_weights_pass():
    check_weights_fit(_model(), _model(classes=5).state_dict(), resizable=('weight', 'bias'))


def test_refuses_the_checkpoint_of_another_model():
    with pytest.raises(ValueError, match='none of them'):
        check_weights_fit(_model(), {'state_dict': {'a': torch.ones(1)}})
