from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from wsss_plugin.engine.optimizers import (
    DualBranchOptimWrapperConstructor,
    JointOptimWrapperConstructor,
)

_SCHEDULE = Path(__file__).parents[3] / 'configs' / '_base_' / 'schedules' / 'dual_branch_20k.py'
_OPTIMIZERS = {
    'vit': {'type': 'AdamW', 'lr': 6e-5, 'weight_decay': 0.01},
    'cnn': {'type': 'SGD', 'lr': 1e-3, 'momentum': 0.9},
}
_BRANCHES = {'cnn': ['backbone.cnn', 'backbone.modulations', 'cams.cnn']}


class _Model(nn.Module):
    def __init__(self):
        super().__init__()
        parts = ('vit', 'cnn', 'cnn_like')
        self.backbone = nn.ModuleDict({name: nn.Linear(2, 2) for name in parts})
        self.backbone['modulations'] = nn.ModuleList()
        self.decode_head = nn.Linear(2, 1)
        self.cams = nn.ModuleDict({name: nn.Linear(2, 1) for name in ('cnn', 'final')})
        self.terms = nn.ModuleDict({'teacher': nn.Linear(2, 1).requires_grad_(False)})


class _Students(nn.Module):
    def __init__(self):
        super().__init__()
        self.students = nn.ModuleDict({'first': _Model(), 'second': _Model()})
        self.terms = nn.ModuleDict({'cross': nn.Linear(2, 1)})


def _build(model=None, paramwise_cfg=None, **options):
    config = {'type': 'OptimWrapper', 'optimizers': _OPTIMIZERS, **options}
    paramwise_cfg = {'branches': _BRANCHES} if paramwise_cfg is None else paramwise_cfg
    return JointOptimWrapperConstructor(config, paramwise_cfg)(model or _Model())


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
    assert _names(model, cnn.param_groups[1]) == {'cams.cnn.weight', 'cams.cnn.bias'}
    # A name that only begins alike belongs to the other optimiser.
    assert 'backbone.cnn_like.weight' in _names(model, vit.param_groups[0])
    heads = {'decode_head.weight', 'decode_head.bias', 'cams.final.weight', 'cams.final.bias'}
    assert _names(model, vit.param_groups[1]) == heads


def test_a_head_with_a_new_name_inside_a_student_has_the_heads_rate():
    model = _Students()
    model.students['second'].cams['new'] = nn.Linear(2, 1)
    branches = {'cnn': ['students.second']}
    wrapper = _build(model, {'branches': branches, 'head_lr_mult': 4})
    vit, cnn = wrapper['vit'].optimizer.param_groups, wrapper['cnn'].optimizer.param_groups
    assert [group['lr'] for group in cnn] == [1e-3, 4e-3]
    assert 'students.second.cams.new.weight' in _names(model, cnn[1])
    assert [group['lr'] for group in vit] == [6e-5, pytest.approx(24e-5)]
    parts = {'.'.join(name.split('.')[:3]) for name in _names(model, vit[0])}
    assert parts == {'students.first.backbone'}
    assert 'terms.cross.weight' in _names(model, vit[1])


def test_given_heads_replace_those_of_the_structure():
    model = _Model()
    wrapper = _build(model, {'branches': _BRANCHES, 'head_prefixes': ['cams.final']})
    groups = wrapper['vit'].optimizer.param_groups
    assert _names(model, groups[1]) == {'cams.final.weight', 'cams.final.bias'}
    assert 'decode_head.weight' in _names(model, groups[0])
    (body,) = _build(model, {'branches': _BRANCHES, 'head_prefixes': []})['cnn'].param_groups
    assert 'cams.cnn.weight' in _names(model, body)


def test_two_rates_among_the_heads():
    """A second run of a trained trunk and first classifier, whose second classifier is new."""
    model = _Model()
    for paramwise in (
        {'custom_keys': {'cams.cnn': {'head_lr_mult': 1}, 'decode_head': {'head_lr_mult': 1}}},
        {'head_prefixes': ['cams.final']},
    ):
        optimizers = {'model': {'type': 'AdamW', 'lr': 5e-5}}
        groups = _build(model, paramwise, optimizers=optimizers)['model'].optimizer.param_groups
        rates = {name: g['lr'] for g in groups for name in _names(model, g)}
        fast = {name for name, rate in rates.items() if rate == pytest.approx(5e-4)}
        assert fast == {'cams.final.weight', 'cams.final.bias'}
        assert {rate for name, rate in rates.items() if name not in fast} == {5e-5}


def test_rules_hold_for_every_optimiser_with_its_own_base():
    model = _Model()
    optimizers = {**_OPTIMIZERS, 'cnn': {**_OPTIMIZERS['cnn'], 'weight_decay': 1e-4}}
    paramwise = {'branches': _BRANCHES, 'bias_lr_mult': 2.0, 'bias_decay_mult': 0.5}
    wrapper = _build(model, paramwise, optimizers=optimizers)
    received = {
        name: (group['lr'], group['weight_decay'])
        for member in wrapper.values()
        for group in member.optimizer.param_groups
        for name in group['param_names']
    }
    assert received['backbone.vit.bias'] == pytest.approx((12e-5, 0.005))
    assert received['backbone.cnn.bias'] == pytest.approx((2e-3, 5e-5))
    assert received['backbone.cnn.weight'] == pytest.approx((1e-3, 1e-4))
    assert received['cams.cnn.bias'] == pytest.approx((2e-2, 5e-5))


def test_groups_know_the_names_of_their_parameters():
    model = _Model()
    named = {}
    for member in _build(model).values():
        for group in member.optimizer.param_groups:
            named.update(zip(group['param_names'], group['params'], strict=True))
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert named.keys() == trained.keys()
    assert [name for name, parameter in trained.items() if named[name] is not parameter] == []


def test_one_optimiser_by_either_key():
    for options in ({'optimizers': {'vit': _OPTIMIZERS['vit']}}, {'optimizer': _OPTIMIZERS['vit']}):
        config = {'type': 'OptimWrapper', **options}
        wrapper = JointOptimWrapperConstructor(config, {'head_lr_mult': 5})(_Model())
        (member,) = wrapper.values()
        assert [g['lr'] for g in member.optimizer.param_groups] == [6e-5, pytest.approx(3e-4)]


def test_order_of_the_optimisers_does_not_matter():
    """A config that was written to a file comes back with sorted keys."""
    model = _Model()
    wrapper = _build(model, optimizers=dict(sorted(_OPTIMIZERS.items())))
    body = _names(model, wrapper['cnn'].optimizer.param_groups[0])
    assert body == {'backbone.cnn.weight', 'backbone.cnn.bias'}
    assert list(wrapper.keys()) == list(_build(model).keys()) == ['cnn', 'vit']


def test_a_parameter_of_two_branches_is_named():
    optimizers = {**_OPTIMIZERS, 'other': _OPTIMIZERS['cnn']}
    branches = {**_BRANCHES, 'other': ['backbone']}
    with pytest.raises(ValueError, match=r'backbone\.cnn\.weight in cnn and other'):
        _build(paramwise_cfg={'branches': branches}, optimizers=optimizers)


@pytest.mark.parametrize(
    'name', ['JointOptimWrapperConstructor', 'DualBranchOptimWrapperConstructor']
)
def test_is_registered_and_finds_torch_optimisers_in_the_scope_of_mmseg(name):
    with DefaultScope.overwrite_default_scope('mmseg'):
        constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
            {
                'type': name,
                'optim_wrapper_cfg': {'optimizers': _OPTIMIZERS, 'accumulative_counts': 4},
                'paramwise_cfg': {'branches': _BRANCHES},
            }
        )
        wrapper = constructor(_Model())
    assert wrapper._accumulative_counts == 4
    assert DualBranchOptimWrapperConstructor is JointOptimWrapperConstructor


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
        ({}, {'branches': _BRANCHES, 'custom_key': {}}, KeyError, "'custom_key'"),
        (
            {},
            {'branches': _BRANCHES, 'custom_keys': {'backbone': {'lr_mul': 2}}},
            KeyError,
            r"custom_keys.*\['lr_mul'\].*'lr'",
        ),
        ({}, {'branches': _BRANCHES, 'norm_decay_mult': 0}, KeyError, "weight_decay.*'cnn'"),
        ({}, {'branches': ['backbone.cnn']}, TypeError, 'branches to be a dict'),
        ({}, {'branches': {'cnn': 'backbone.cnn'}}, TypeError, r'branches\.cnn to be a list'),
        ({}, {'branches': _BRANCHES, 'head_prefixes': 3}, TypeError, 'head_prefixes to be a list'),
        ({}, {'branches': _BRANCHES, 'head_lr_mult': 0}, ValueError, 'head_lr_mult'),
        ({}, {'branches': {}}, KeyError, 'all but one'),
        ({}, {'branches': {'cnn': []}}, ValueError, r'optimizers\.cnn'),
        ({}, {'branches': {**_BRANCHES, 'vit': ['backbone.vit']}}, KeyError, 'all but one'),
    ],
)
def test_refuses_what_does_not_fit(options, paramwise, error, message):
    with pytest.raises(error, match=message):
        _build(paramwise_cfg=paramwise, **options)


def _single(model):
    return JointOptimWrapperConstructor({'optimizer': _OPTIMIZERS['vit']})(model)['model'].optimizer


def _two_branches():
    def cam(reads, channels):
        return {'type': 'CAMHead', 'reads': reads, 'in_channels': channels}

    return {
        'type': 'WeakSegmentor',
        'backbone': {
            'type': 'DualBranchBackbone',
            'vit': {
                'type': 'TimmVisionTransformer',
                'model_name': 'vit_tiny_patch16_224',
                'model_args': {'img_size': 32, 'embed_dim': 24, 'depth': 3, 'num_heads': 3},
            },
            'cnn': {'type': 'ResNet', 'depth': 18, 'base_channels': 4, 'stem_channels': 4},
            'modulation': {'type': 'ActivationModulation', 'order': 'serial', 'reduction': 4},
            'modulated_stages': ('layer1', 'layer2'),
        },
        'decode_head': {
            'type': 'LargeFOVHead',
            'in_channels': 24,
            'channels': 8,
            'num_classes': 3,
        },
        'cams': {'final': cam('patch', 24), 'aux': cam('inner.1', 24), 'cnn': cam('cnn', 32)},
        'labels': {'region': {'type': 'RegionMask', 'cams': ('aux',)}},
        'terms': {
            'ctc': {
                'type': 'ClassTokenContrastTerm',
                'labels': 'region',
                'projection_head': {'type': 'ProjectionHead', 'in_channels': 24},
            },
            'cls': {'type': 'ClassificationTerm'},
        },
    }


def test_optimisers_of_the_method_reach_every_part():
    """The published schedule: heads at ten times the rates of the two branches."""
    model = MODELS.build(_two_branches())
    config = Config.fromfile(_SCHEDULE).optim_wrapper
    config.pop('constructor')
    branches = {'cnn': ['backbone.cnn', 'backbone.modulations', 'cams.cnn']}
    paramwise = {**config.pop('paramwise_cfg'), 'branches': branches}
    wrapper = JointOptimWrapperConstructor(config, paramwise)(model)
    received = {
        (branch, group['lr']): {
            '.'.join(name.split('.')[: 2 if name.startswith(('backbone', 'cams')) else 1])
            for name in group['param_names']
        }
        for branch, member in wrapper.items()
        for group in member.optimizer.param_groups
    }
    assert received == {
        ('vit', 6e-5): {'backbone.vit'},
        ('vit', 6e-5 * 10): {'decode_head', 'cams.aux', 'cams.final', 'terms'},
        ('cnn', 1e-3): {'backbone.cnn', 'backbone.modulations'},
        ('cnn', 1e-3 * 10): {'cams.cnn'},
    }
    given = sorted(
        n for m in wrapper.values() for g in m.param_groups for n in g.get('param_names', ())
    )
    trained = sorted(name for name, p in model.named_parameters() if p.requires_grad)
    assert given == trained


def test_order_is_that_of_sorted_parts_not_of_the_config():
    config = _two_branches()
    order = [
        [group['param_names'] for group in _single(MODELS.build(model)).param_groups]
        for model in (config, {**config, 'cams': dict(sorted(config['cams'].items()))})
    ]
    assert list(config['cams']) != sorted(config['cams'])
    assert order[0] == order[1]
