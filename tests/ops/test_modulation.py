from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import gaussian_gate

CLOSE = {'atol': 1e-5, 'rtol': 0}


def test_reference_density(reference):
    arrays = reference('amm_channel')
    gate = gaussian_gate(arrays['gauss_x'], (0, 1), gaussian='density', unbiased=True)
    assert_close(gate, arrays['gauss_out'], **CLOSE)
    gate = gaussian_gate(arrays['c_att'], (0, 1), gaussian='density', unbiased=True)
    assert_close(gate, arrays['c_scale'], **CLOSE)


def test_peak_by_hand():
    gate = gaussian_gate(torch.tensor([[0.0, 2.0], [5.0, 9.0]]), (1,))
    assert_close(gate, torch.full((2, 2), math.exp(-0.5)))
    unbiased = gaussian_gate(torch.tensor([0.0, 2.0]), (0,), unbiased=True)
    assert_close(unbiased, torch.full((2,), math.exp(-0.25)))


def test_density_is_the_peak_divided_by_its_width():
    values = torch.randn(4, 7)
    std = values.std(dim=1, keepdim=True, unbiased=False)
    peak = gaussian_gate(values, (1,))
    density = gaussian_gate(values, (1,), gaussian='density')
    assert_close(density, peak / (math.sqrt(2 * math.pi) * std))


@pytest.mark.parametrize('gaussian', ['peak', 'density'])
@pytest.mark.parametrize('value', [0.0, 0.1, -1e6, 1e-30])
def test_constant_values_pass(gaussian, value):
    values = torch.full((2, 1, 7, 9), value, requires_grad=True)
    gate = gaussian_gate(values, (1, 2, 3), gaussian, unbiased=True)
    assert_close(gate, torch.ones(2, 1, 7, 9))
    (gradient,) = torch.autograd.grad(gate.sum(), values)
    assert torch.equal(gradient, torch.zeros(2, 1, 7, 9))


def test_single_value_passes():
    assert gaussian_gate(torch.ones(1, 1), (0, 1), unbiased=True).item() == 1


def test_constant_image_beside_another():
    values = torch.stack((torch.zeros(6), torch.randn(6)))
    gate = gaussian_gate(values, (1,), gaussian='density')
    assert_close(gate[0], torch.ones(6))
    assert_close(gate[1:], gaussian_gate(values[1:], (1,), gaussian='density'))


def test_statistics_have_no_gradient():
    values = torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64, requires_grad=True)
    gate = gaussian_gate(values, (0,))
    (gradient,) = torch.autograd.grad(gate.sum(), values)
    data = values.detach()
    deviation, variance = data - data.mean(), data.var(unbiased=False)
    assert_close(gradient, -deviation / variance * gate.detach())


def test_half_precision_is_computed_in_float32():
    values = torch.randn(2, 8).half()
    assert_close(gaussian_gate(values, (1,)), gaussian_gate(values.float(), (1,)))


def test_unknown_gaussian():
    with pytest.raises(ValueError, match="'peak', 'density'"):
        gaussian_gate(torch.rand(2), (0,), gaussian='normal')
