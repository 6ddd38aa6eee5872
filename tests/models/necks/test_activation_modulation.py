from __future__ import annotations

import copy

import pytest
import torch
from mmseg.models.backbones.resnet import Bottleneck
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.necks import ActivationModulation, activation_modulation

CLOSE = {'atol': 1e-5, 'rtol': 1e-5}
BATCH_DENSITY = {'statistics': 'batch', 'gaussian': 'density'}


def load(module, arrays, prefix):
    """Loads weights in the order in which the reference saved them."""
    values = [value for key, value in arrays.items() if key.startswith(prefix)]
    state = module.state_dict()
    assert len(values) == len(state)
    module.load_state_dict(dict(zip(state, values, strict=True)))


def assert_close_to_scale(actual, expected):
    """Compares sums over many positions, whose rounding grows with their largest value."""
    scale = max(1.0, expected.abs().max().item())
    assert_close(actual, expected, atol=1e-5 * scale, rtol=0)


@pytest.fixture
def channel_arrays(reference):
    return reference('amm_channel')


@pytest.fixture
def channel_module(channel_arrays):
    module = ActivationModulation(channels=64, reduction=16, spatial=False, **BATCH_DENSITY)
    load(module, channel_arrays, 'c_fc')
    return module


def test_reference_channel_gate(channel_arrays, channel_module):
    features = channel_arrays['c_x'].requires_grad_()
    gate = channel_module.channel_gate(features)
    assert_close(gate.flatten(1), channel_arrays['c_scale'], **CLOSE)
    out = channel_module(features)
    assert_close(out, channel_arrays['c_out'], **CLOSE)
    out.backward(channel_arrays['c_gradout'])
    assert_close(features.grad, channel_arrays['c_gradx'], **CLOSE)
    names = ('fc1_w', 'fc1_b', 'fc2_w', 'fc2_b')
    for name, parameter in zip(names, channel_module.parameters(), strict=True):
        assert_close_to_scale(parameter.grad, channel_arrays[f'c_grad_{name}'])


def test_reference_batch_statistics(channel_arrays, channel_module):
    alone = channel_module(channel_arrays['c_x'][:1])
    assert_close(alone, channel_arrays['c_out_sample0_alone'], **CLOSE)


def test_reference_spatial_gate(reference):
    arrays = reference('amm_spatial')
    module = ActivationModulation(channels=16, channel=False, **BATCH_DENSITY)
    conv, norm = module.spatial_layers
    with torch.no_grad():
        conv.weight.copy_(arrays['s_conv_w'])
        norm.weight.copy_(arrays['s_bn_w'])
        norm.bias.copy_(arrays['s_bn_b'])
    features = arrays['s_x'].requires_grad_()
    out = module(features)
    assert_close(out, arrays['s_train_out'], **CLOSE)
    out.backward(arrays['s_gradout'])
    assert_close(features.grad, arrays['s_train_gradx'], **CLOSE)
    assert_close_to_scale(conv.weight.grad, arrays['s_train_grad_conv_w'])
    assert_close(norm.weight.grad, arrays['s_train_grad_bn_w'], **CLOSE)
    assert_close(norm.bias.grad, arrays['s_train_grad_bn_b'], **CLOSE)
    assert_close(norm.running_mean, arrays['s_running_mean_after'], **CLOSE)
    assert_close(norm.running_var, arrays['s_running_var_after'], **CLOSE)
    module.eval()
    assert_close(module(features), arrays['s_eval_out'], **CLOSE)


def test_reference_channel_then_spatial(reference):
    arrays = reference('amm_serial')
    module = ActivationModulation(channels=32, reduction=16, **BATCH_DENSITY)
    load(module, arrays, 'a_sd_')
    assert_close(module(arrays['a_x']), arrays['a_train_out'], **CLOSE)
    norm = module.spatial_layers[1]
    assert_close(norm.running_var, arrays['a_after_SpatialAMM.spatial.bn.running_var'], **CLOSE)
    module.eval()
    assert_close(module(arrays['a_x']), arrays['a_eval_out'], **CLOSE)


def test_reference_inside_a_residual_branch(reference):
    arrays = reference('amm_serial')
    module = ActivationModulation(channels=64, reduction=16, **BATCH_DENSITY)
    load(module, arrays, 'b_sd_amm.')
    block = Bottleneck(64, 16, style='pytorch')
    prefix = 'b_sd_'
    block.load_state_dict(
        {
            key.removeprefix(prefix): value
            for key, value in arrays.items()
            if key.startswith(prefix) and '.amm' not in key and 'amm.' not in key
        }
    )
    block.eval()
    block.norm3.register_forward_hook(lambda _module, _inputs, output: module(output))
    assert_close(block(arrays['b_x']), arrays['b_train_out'], **CLOSE)


def test_defaults_are_statistics_per_image():
    module = ActivationModulation(channels=32, norm_cfg=None)
    features = torch.randn(3, 32, 5, 7)
    alone = torch.cat([module(features[[index]]) for index in range(3)])
    assert_close(module(features), alone)


def _by_hand(module, image):
    """The equations of the two gates, of an image (C, h, w)."""

    def gaussian(values):
        if values.numel() == 1:
            return torch.ones_like(values)
        return (-((values - values.mean()) ** 2) / (2 * values.var(unbiased=False))).exp()

    modulated = image * gaussian(module.channel_layers(image.mean((1, 2))))[:, None, None]
    pair = torch.stack((modulated.amax(0), modulated.mean(0)))
    return modulated * gaussian(module.spatial_layers(pair[None]))[0]


def test_equations_by_hand():
    module = ActivationModulation(channels=8, reduction=2, norm_cfg=None)
    features = torch.randn(8, 5, 6)
    assert_close(module(features[None])[0], _by_hand(module, features))


def test_parallel_takes_both_gates_from_the_input():
    module = ActivationModulation(channels=16, order='parallel', norm_cfg=None)
    features = torch.randn(2, 16, 5, 5)
    gate = (module.channel_gate(features) + module.spatial_gate(features)) / 2
    assert_close(module(features), features * gate)


@pytest.mark.parametrize('order', ['serial', 'parallel'])
@pytest.mark.parametrize('statistics', ['image', 'batch'])
@pytest.mark.parametrize('gaussian', ['peak', 'density'])
@pytest.mark.parametrize('value', [0.0, 3.0])
def test_constant_values_pass_unchanged(order, statistics, gaussian, value):
    module = ActivationModulation(32, order=order, statistics=statistics, gaussian=gaussian)
    for parameter in module.parameters():
        # So that what the gates see is constant too.
        torch.nn.init.zeros_(parameter)
    features = torch.full((2, 32, 6, 5), value, requires_grad=True)
    out = module(features)
    assert torch.equal(out, features)
    out.sum().backward()
    assert torch.equal(features.grad, torch.ones(2, 32, 6, 5))
    gradients = [parameter.grad for parameter in module.parameters()]
    assert len(gradients) >= 5
    assert [gradient.abs().max().item() for gradient in gradients] == [0] * len(gradients)


@pytest.mark.parametrize('size', [(1, 1), (3, 9)])
@pytest.mark.parametrize('channels', [1, 8, 33])
def test_odd_sizes_by_hand(size, channels):
    module = ActivationModulation(channels)
    features = torch.rand(2, channels, *size)
    assert_close(module(features), torch.stack([_by_hand(module, one) for one in features]))


@pytest.mark.parametrize('gates', [{'channel': False}, {'spatial': False}, {}])
def test_gradient_is_that_of_constant_statistics(gates, monkeypatch):
    module = ActivationModulation(4, reduction=2, norm_cfg=None, **gates).double()
    features = torch.randn(2, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    module(features).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())

    def with_statistics_of_the_test(values, dims, *_args, **_kwargs):
        fixed = values.detach()
        mean, variance = fixed.mean(dims, keepdim=True), fixed.var(dims, False, keepdim=True)
        return (-((values - mean) ** 2) / (2 * variance)).exp()

    received, features.grad = features.grad, None
    monkeypatch.setattr(activation_modulation, 'gaussian_gate', with_statistics_of_the_test)
    module(features).sum().backward()
    assert_close(received, features.grad)


def test_a_narrow_density_is_finite_in_half_precision():
    module = ActivationModulation(4, channel=False, gaussian='density', norm_cfg=None).half()
    features = torch.randn(1, 4, 6, 6).mul(1e-6).half()
    gate = module.spatial_gate(features)
    assert gate.max() > torch.finfo(torch.float16).max
    expected = features.double() * gate.double()
    assert expected.abs().max() > 0.01
    assert_close(module(features).double(), expected, rtol=1e-3, atol=1e-6)


def test_autocast_keeps_the_type_of_the_features():
    module = ActivationModulation(16)
    features = torch.randn(2, 16, 6, 6)
    full = module(features)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert module(features.bfloat16()).dtype == torch.bfloat16
        assert_close(module(features), full, atol=0.05, rtol=0.05)


def test_copies_and_registers():
    module = MODELS.build({'type': 'ActivationModulation', 'channels': 16})
    twin = copy.deepcopy(module)
    features = torch.randn(1, 16, 4, 4)
    before = module(features)
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    assert torch.equal(twin(features), before)
    assert not torch.equal(module(features), before)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        ({'order': 'both'}, 'order'),
        ({'statistics': 'layer'}, 'statistics'),
        ({'gaussian': 'normal'}, 'gaussian'),
        ({'channel': False, 'spatial': False}, 'neither'),
        ({'reduction': 0}, 'reduction'),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        ActivationModulation(16, **options)


def test_missing_gate():
    with pytest.raises(RuntimeError, match='channel=True'):
        ActivationModulation(16, channel=False).channel_gate(torch.rand(1, 16, 2, 2))
    with pytest.raises(RuntimeError, match='spatial=True'):
        ActivationModulation(16, spatial=False).spatial_gate(torch.rand(1, 16, 2, 2))
