import pytest
import torch
from mmengine.registry import DefaultScope
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from wsss_plugin.engine.optimizers import DualBranchOptimWrapperConstructor

_OPTIMIZERS = {
    'vit': {'type': 'AdamW', 'lr': 6e-5, 'weight_decay': 0.01},
    'cnn': {'type': 'SGD', 'lr': 1e-3, 'momentum': 0.9},
}
_BRANCHES = {'cnn': ['backbone.cnn', 'backbone.modulations', 'cnn_cam_head']}


class _Model(nn.Module):
    def __init__(self):
        super().__init__()
        parts = ('vit', 'cnn', 'cnn_like')
        self.backbone = nn.ModuleDict({name: nn.Linear(2, 2) for name in parts})
        self.backbone['modulations'] = nn.ModuleList()
        self.cam_head = nn.Linear(2, 1)
        self.cnn_cam_head = nn.Linear(2, 1)
        self.decode_head = nn.Linear(2, 1)
        self.projection_ema = nn.Linear(2, 1).requires_grad_(False)


def _build(model=None, paramwise_cfg=None, **options):
    config = {'type': 'OptimWrapper', 'optimizers': _OPTIMIZERS, **options}
    paramwise_cfg = {'branches': _BRANCHES} if paramwise_cfg is None else paramwise_cfg
    return DualBranchOptimWrapperConstructor(config, paramwise_cfg)(model or _Model())


def _names(model, group):
    wanted = {id(parameter) for parameter in group['params']}
    return {name for name, parameter in model.named_parameters() if id(parameter) in wanted}


def test_every_trainable_parameter_has_one_optimiser():
    model = _Model()
    wrapper = _build(model)
    given = [p for groups in wrapper.param_groups.values() for g in groups for p in g['params']]
    given = [id(p) for p in given if isinstance(p, nn.Parameter)]
    assert sorted(given) == sorted(id(p) for p in model.parameters() if p.requires_grad)


def test_sorts_by_branch_and_head():
    model = _Model()
    wrapper = _build(model)
    vit, cnn = wrapper['vit'].optimizer, wrapper['cnn'].optimizer
    assert isinstance(vit, torch.optim.AdamW)
    assert isinstance(cnn, torch.optim.SGD)
    assert [group['lr'] for group in vit.param_groups] == [6e-5, pytest.approx(6e-4)]
    assert [group['lr'] for group in cnn.param_groups] == [1e-3, pytest.approx(1e-2)]
    assert _names(model, cnn.param_groups[0]) == {'backbone.cnn.weight', 'backbone.cnn.bias'}
    assert _names(model, cnn.param_groups[1]) == {'cnn_cam_head.weight', 'cnn_cam_head.bias'}
    # A name that only begins alike belongs to the other optimiser.
    assert 'backbone.cnn_like.weight' in _names(model, vit.param_groups[0])
    assert 'decode_head.weight' in _names(model, vit.param_groups[1])


def test_one_optimiser_by_either_key():
    for options in ({'optimizers': {'vit': _OPTIMIZERS['vit']}}, {'optimizer': _OPTIMIZERS['vit']}):
        config = {'type': 'OptimWrapper', **options}
        wrapper = DualBranchOptimWrapperConstructor(config, {'head_lr_mult': 5})(_Model())
        (member,) = wrapper.values()
        assert [g['lr'] for g in member.optimizer.param_groups] == [6e-5, pytest.approx(3e-4)]


def test_order_of_the_optimisers_does_not_matter():
    """A config that was written to a file comes back with sorted keys."""
    model = _Model()
    wrapper = _build(model, optimizers=dict(sorted(_OPTIMIZERS.items())))
    body = _names(model, wrapper['cnn'].optimizer.param_groups[0])
    assert body == {'backbone.cnn.weight', 'backbone.cnn.bias'}


def test_a_parameter_of_two_branches_is_named():
    optimizers = {**_OPTIMIZERS, 'other': _OPTIMIZERS['cnn']}
    branches = {**_BRANCHES, 'other': ['backbone']}
    with pytest.raises(ValueError, match=r'backbone\.cnn\.weight in cnn and other'):
        _build(paramwise_cfg={'branches': branches}, optimizers=optimizers)


def test_is_registered_and_finds_torch_optimisers_in_the_scope_of_mmseg():
    with DefaultScope.overwrite_default_scope('mmseg'):
        constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
            {
                'type': 'DualBranchOptimWrapperConstructor',
                'optim_wrapper_cfg': {'optimizers': _OPTIMIZERS, 'accumulative_counts': 4},
                'paramwise_cfg': {'branches': _BRANCHES},
            }
        )
        wrapper = constructor(_Model())
    assert wrapper._accumulative_counts == 4


def test_amp_type_chooses_the_device_type_and_keeps_a_given_one():
    assert _build(type='AmpOptimWrapper', loss_scale='dynamic').cast_dtype in (
        torch.bfloat16,
        torch.float16,
    )
    assert _build(type='AmpOptimWrapper', dtype='float16').cast_dtype is torch.float16
    assert _build(dtype='bfloat16').cast_dtype is torch.bfloat16
    assert _build().cast_dtype is None


@pytest.mark.parametrize(
    ('options', 'paramwise', 'error', 'message'),
    [
        ({'type': 'ApexOptimWrapper'}, None, ValueError, r'optim_wrapper\.type'),
        ({'optimizer': _OPTIMIZERS['vit']}, None, KeyError, 'received both'),
        ({'optimizers': None}, None, KeyError, 'received neither'),
        ({'optimizers': {'vit': {'type': 'AdamW'}}}, None, TypeError, "'vit'"),
        ({}, {'branches': {'cn': ['backbone.cnn']}}, KeyError, "'cn'"),
        ({}, {'branches': {'cnn': ['backbone.cmn']}}, ValueError, r'branches\.cnn.*backbone\.cmn'),
        ({}, {'branches': _BRANCHES, 'head_prefixes': ['hed']}, ValueError, 'head_prefixes.*hed'),
        ({}, {'branches': _BRANCHES, 'custom_keys': {}}, KeyError, 'custom_keys'),
        ({}, {'branches': _BRANCHES, 'head_lr_mult': 0}, ValueError, 'head_lr_mult'),
        ({}, {'branches': {}}, KeyError, 'all but one'),
        ({}, {'branches': {'cnn': []}}, ValueError, r'optimizers\.cnn'),
        ({}, {'branches': {**_BRANCHES, 'vit': ['backbone.vit']}}, KeyError, 'all but one'),
    ],
)
def test_refuses_what_does_not_fit(options, paramwise, error, message):
    with pytest.raises(error, match=message):
        _build(paramwise_cfg=paramwise, **options)
