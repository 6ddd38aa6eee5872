import logging

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from wsss_plugin.engine.optimizers import ParameterRules

_CONFIG = {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.01}
_OPTIONS = {
    'bias_lr_mult': 2.0,
    'bias_decay_mult': 0.5,
    'norm_decay_mult': 0.0,
    'dwconv_decay_mult': 0.25,
    'flat_decay_mult': 0.1,
    'dcn_offset_lr_mult': 0.3,
    'custom_keys': {
        'block': {'lr_mult': 3.0, 'decay_mult': 2.0},
        'block.norm': {'lr_mult': 5.0},
        'scale': {'weight_decay': 0.7, 'momentum': 0.5},
    },
}


class _Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 3, 1, groups=3), nn.BatchNorm2d(3))
        self.block = nn.ModuleDict({'conv': nn.Conv2d(3, 3, 1), 'norm': nn.GroupNorm(1, 3)})
        self.scale = nn.Parameter(torch.ones(3))
        self.shift = nn.Parameter(torch.ones(3))
        self.head = nn.Linear(3, 1)


def _names(model, part=''):
    return [name for name, _ in model.named_parameters() if name.startswith(part)]


def _group(options, model=None, config=_CONFIG, heads='head'):
    model = model or _Model()
    return ParameterRules(options).group(model, config, _names(model), _names(model, heads))


def _options(groups, config=_CONFIG):
    """Name of each parameter to its rate, decay and momentum."""
    defaults = {key: value for key, value in config.items() if key != 'type'}
    return {
        name: tuple({**defaults, **group}[key] for key in defaults)
        for group in groups
        for name in group['param_names']
    }


def test_without_heads_the_rules_are_those_of_the_toolbox():
    model = _Model()
    stock = DefaultOptimWrapperConstructor({'optimizer': _CONFIG}, _OPTIONS)(model).optimizer
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    expected = {
        names[id(group['params'][0])]: (group['lr'], group['momentum'], group['weight_decay'])
        for group in stock.param_groups
    }
    assert _options(_group({**_OPTIONS, 'head_lr_mult': 1}, model)) == expected
    assert len(set(expected.values())) > 5


def test_the_rate_is_base_times_heads_times_the_toolbox():
    options = {'bias_lr_mult': 2.0, 'custom_keys': {'norm': {'lr_mult': 0.5}}}
    received = {n: rate for n, (rate, *_) in _options(_group(options, heads=('block'))).items()}
    assert received['block.conv.weight'] == pytest.approx(0.1 * 10)
    assert received['block.conv.bias'] == pytest.approx(0.1 * 10 * 2)
    assert received['block.norm.bias'] == pytest.approx(0.1 * 10 * 0.5)
    assert received['head.bias'] == pytest.approx(0.1 * 2)
    assert received['head.weight'] == 0.1


def test_a_custom_key_replaces_the_multiple_of_the_heads_it_matches():
    options = {'custom_keys': {'bias': {'head_lr_mult': 3, 'lr_mult': 2.0}}}
    received = _options(_group(options))
    assert received['head.weight'][0] == pytest.approx(1.0)
    assert received['head.bias'][0] == pytest.approx(0.1 * 3 * 2)
    assert received['block.conv.bias'][0] == pytest.approx(0.1 * 2)


def test_a_rate_in_a_custom_key_is_the_rate():
    received = _options(_group({'custom_keys': {'bias': {'lr': 0.4}}}))
    assert received['head.bias'][0] == received['block.conv.bias'][0] == 0.4
    assert received['head.weight'][0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ('options', 'count'),
    [
        ({}, 2),
        # Body and heads stay apart: MMEngine logs a base rate for several groups only.
        ({'head_lr_mult': 1}, 2),
        # Multiples of 1 change nothing, written or not.
        ({'bias_lr_mult': 1.0, 'custom_keys': {'block': {'decay_mult': 1.0}, 'scale': {}}}, 2),
        ({'norm_decay_mult': 0.0}, 3),
        ({'norm_decay_mult': 0.0, 'custom_keys': {'shift': {'decay_mult': 0.0}}}, 3),
        ({'bias_decay_mult': 0.0}, 4),
    ],
)
def test_equal_options_share_a_group(options, count):
    model = _Model()
    groups = _group(options, model)
    assert len(groups) == count
    assert sorted(name for group in groups for name in group['param_names']) == sorted(
        _names(model)
    )
    heads = [group['param_names'][0].startswith('head') for group in groups]
    assert heads == sorted(heads)
    parameters = dict(model.named_parameters())
    for group in groups:
        for name, parameter in zip(group['param_names'], group['params'], strict=True):
            assert parameters[name] is parameter


def test_order_follows_the_model_not_the_options():
    keys = {'scale': {'lr_mult': 2.0}, 'shift': {'lr_mult': 3.0}, 'block': {'lr_mult': 4.0}}
    there, back = (
        [group['param_names'] for group in _group({'custom_keys': dict(items)})]
        for items in (keys.items(), reversed(keys.items()))
    )
    assert there == back
    # PyTorch lists a module's own parameters before those of its children.
    assert there[:2] == [['scale'], ['shift']]


def test_heads_come_last_wherever_they_stand():
    """MMEngine logs the rate of the first group."""
    groups = _group({}, heads='scale')
    assert [group['lr'] for group in groups] == [0.1, pytest.approx(1.0)]
    assert groups[1]['param_names'] == ['scale']


def test_frozen_parameters_are_left_out():
    model = _Model()
    model.backbone.requires_grad_(False)
    names = [name for group in _group({}, model) for name in group['param_names']]
    assert names
    assert not any(name.startswith('backbone') for name in names)


@pytest.mark.parametrize('options', [{}, {'bypass_duplicate': True}, {'bypass_duplicate': False}])
def test_a_shared_parameter_is_given_once_under_its_first_name(options):
    model = _Model()
    model.again, model.tied = model.head, nn.Linear(3, 1)
    model.tied.weight = model.block['conv'].bias
    groups = _group(options, model)
    names = [name for group in groups for name in group['param_names']]
    assert sorted(names) == sorted(_names(model))
    assert 'tied.weight' not in names
    assert 'again.weight' not in names
    torch.optim.SGD(groups, lr=0.1)


def test_only_the_parameters_of_this_optimiser_are_grouped():
    model = _Model()
    rules = ParameterRules({})
    groups = rules.group(model, _CONFIG, _names(model, 'block'), _names(model, 'head'))
    assert [group['param_names'] for group in groups] == [_names(model, 'block')]


def test_is_silent_and_leaves_the_log_on():
    logger = MMLogger.get_current_instance()
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    try:
        model = _Model()
        model.backbone.requires_grad_(False)
        _group(_OPTIONS, model)
        assert not records
        logger.warning('seen')
        assert len(records) == 1
    finally:
        logger.removeHandler(handler)


def test_a_decay_multiple_needs_a_decay():
    rules = ParameterRules({'norm_decay_mult': 0, 'custom_keys': {'a': {'decay_mult': 0}}})
    with pytest.raises(KeyError, match=r"'vit'.*norm_decay_mult and custom_keys\['a'\]"):
        rules.check_optimizer('vit', {'type': 'SGD', 'lr': 0.1})
    rules.check_optimizer('vit', {'type': 'SGD', 'lr': 0.1, 'weight_decay': 0})
    ParameterRules({'bias_lr_mult': 2}).check_optimizer('vit', {'type': 'SGD', 'lr': 0.1})


def test_says_which_custom_key_matches_nothing(recwarn):
    names, heads = ['backbone.weight', 'cams.final.weight'], ['cams.final.weight']
    ParameterRules({'custom_keys': {'final': {'head_lr_mult': 1}}}).check_names(names, heads)
    assert not recwarn
    with pytest.warns(UserWarning, match=r"custom_keys\['norm'\].*no effect"):
        ParameterRules({'custom_keys': {'norm': {'lr_mult': 1}}}).check_names(names, heads)
    for key in ('backbone', 'finale'):
        rules = ParameterRules({'custom_keys': {key: {'head_lr_mult': 1}}})
        with pytest.raises(ValueError, match=rf"custom_keys\['{key}'\].*use lr_mult"):
            rules.check_names(names, heads)


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'custom_key': {}}, KeyError, "custom_keys.*'custom_key'"),
        ({'custom_keys': ['norm']}, TypeError, 'custom_keys to be a dict'),
        ({'custom_keys': {'norm': 0.1}}, TypeError, r"custom_keys\['norm'\] to be a dict"),
        ({'custom_keys': {'norm': {'lr_mult': '1'}}}, TypeError, r"\['norm'\]\.lr_mult"),
        ({'custom_keys': {'norm': {'head_lr_mult': 0}}}, ValueError, r"\['norm'\]\.head_lr_mult"),
        ({'custom_keys': {'norm': {'lr': 1, 'lr_mult': 2}}}, KeyError, 'lr and lr_mult'),
        ({'custom_keys': {'norm': {'lr': 1, 'head_lr_mult': 2}}}, KeyError, 'lr and head_lr'),
        (
            {'custom_keys': {'norm': {'weight_decay': 1, 'decay_mult': 2}}},
            KeyError,
            'weight_decay and decay_mult',
        ),
        ({'norm_decay_mult': None}, TypeError, 'norm_decay_mult to be a number'),
        ({'bias_lr_mult': True}, TypeError, 'bias_lr_mult to be a number'),
        ({'head_lr_mult': -1}, ValueError, r'paramwise_cfg\.head_lr_mult above 0'),
    ],
)
def test_refuses_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        ParameterRules(options)
