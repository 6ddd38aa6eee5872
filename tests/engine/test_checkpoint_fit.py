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


def test_names_the_weights_that_are_missing():
    weights = _model().state_dict()
    del weights['1.weight'], weights['1.bias']
    message = r'expected all 4 weights of Sequential in a\.pth, received none for 2 of them, '
    message += r'1\.weight, 1\.bias.*load_part'
    with pytest.raises(ValueError, match=message):
        check_weights_fit(_model(), weights, source='a.pth')


def test_a_prefix_that_would_help_is_named():
    weights = {f'backbone.{name}': value for name, value in _model().state_dict().items()}
    with pytest.raises(
        ValueError, match=r"none of them .*behind 'backbone\.'.*prefix='backbone\.'"
    ):
        check_weights_fit(_model(), weights)


def test_a_checkpoint_may_hold_more():
    check_weights_fit(_model(), {**_model().state_dict(), 'head.weight': torch.ones(1)})


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_refused(value):
    weights = _model().state_dict()
    weights['0.bias'][1] = value
    with pytest.raises(
        ValueError, match=r'expected finite weights in .*NaN or infinity in 0\.bias'
    ):
        check_weights_fit(_model(), weights)


def test_values_that_are_no_tensors_are_refused():
    with pytest.raises(
        ValueError, match=r'0\.bias in the checkpoint to be a tensor, received a str'
    ):
        check_weights_fit(_model(), {**_model().state_dict(), '0.bias': 'x'})


class _Newer(nn.Module):
    """Has renamed a module since, and has gained a buffer and a batch norm."""

    optional_weights = ('seen', 'extra')

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 2)
        self.extra = nn.Linear(2, 2)
        self.norm = nn.BatchNorm2d(2)
        self.register_buffer('seen', torch.zeros(1))
        self.register_load_state_dict_pre_hook(self._rename)

    @staticmethod
    def _rename(_module, weights, prefix, *_):
        for name in [name for name in weights if name.startswith(f'{prefix}old_head.')]:
            weights[f'{prefix}head.{name.rpartition(".")[2]}'] = weights.pop(name)


@pytest.mark.parametrize('prefix', ['', '0.'])
def test_older_checkpoints_fit_by_stated_rules(prefix):
    model = _Newer() if not prefix else nn.Sequential(_Newer())
    weights = {}
    for name, value in model.state_dict().items():
        if not name.startswith((f'{prefix}extra', f'{prefix}seen')) and 'tracked' not in name:
            weights[name.replace('head', 'old_head')] = value
    before = list(weights)
    check_weights_fit(model, weights)
    assert list(weights) == before
    del weights[f'{prefix}norm.running_mean']
    with pytest.raises(ValueError, match=rf'none for 1 of them, {prefix}norm\.running_mean'):
        check_weights_fit(model, weights)
