from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.losses import DenseEnergyLoss

# Values and gradients are tiny, so only a relative tolerance says something.
CLOSE = {'atol': 0, 'rtol': 1e-5}


@pytest.fixture
def arrays(reference):
    return reference('energy_loss')


def _reference_inputs(arrays):
    return arrays['image_u8'] / 255, arrays['label'], arrays['img_box']


def test_reference_value_and_gradient(arrays):
    logits = arrays['logits'].requires_grad_()
    loss = MODELS.build({'type': 'DenseEnergyLoss'})
    value = loss(logits, *_reference_inputs(arrays))
    assert_close(value, arrays['loss'][0], **CLOSE)
    value.backward()
    expected = arrays['grad_of_even_columns']
    difference = (logits.grad[..., ::2] - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()
    assert loss.loss_name == 'loss_energy'


def test_reference_value_under_autocast(arrays):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = DenseEnergyLoss()(arrays['logits'], *_reference_inputs(arrays))
    assert_close(value, arrays['loss'][0], **CLOSE)


def test_half_precision_is_computed_in_float32(arrays):
    logits, inputs = arrays['logits'].bfloat16(), _reference_inputs(arrays)
    loss = DenseEnergyLoss()
    assert_close(loss(logits, *inputs), loss(logits.float(), *inputs), **CLOSE)


def test_weight_and_factor(arrays):
    inputs = (arrays['logits'], *_reference_inputs(arrays))
    loss = DenseEnergyLoss(factor=2e-3, loss_weight=0.05)
    assert_close(loss(*inputs), 1e3 * arrays['loss'][0], **CLOSE)


def test_every_argument_matters(arrays):
    inputs = (arrays['logits'], *_reference_inputs(arrays))
    for change in (dict(sigma_rgb=20), dict(sigma_xy=50), dict(scale=0.25)):
        value = DenseEnergyLoss(**change)(*inputs)
        assert abs(value / arrays['loss'][0] - 1) > 1e-3
    assert abs(DenseEnergyLoss()(*inputs, ignore_index=0) / arrays['loss'][0] - 1) > 1e-3


def test_small_logits_are_resized():
    logits, images = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 16, 20)
    resized = F.interpolate(logits, size=(16, 20), mode='bilinear')
    loss = DenseEnergyLoss()
    assert_close(loss(logits, images), loss(resized, images), **CLOSE)


def test_no_label_and_no_box_mean_that_all_is_known_and_valid():
    logits, images = torch.randn(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    loss, everywhere = DenseEnergyLoss(), torch.tensor([[0, 8, 0, 8]]).expand(2, 4)
    expected = loss(logits, images, torch.zeros(2, 8, 8), everywhere)
    assert_close(loss(logits, images), expected, **CLOSE)


def test_everything_ignored_still_has_a_gradient():
    logits = torch.randn(1, 3, 8, 8, requires_grad=True)
    loss = DenseEnergyLoss()(logits, torch.rand(1, 3, 8, 8), torch.full((1, 8, 8), 255))
    loss.backward()
    assert loss < 0
    assert logits.grad.abs().amax(dim=1).min() > 0


def test_an_empty_box_gives_zero():
    logits = torch.randn(1, 3, 8, 8, requires_grad=True)
    loss = DenseEnergyLoss()(logits, torch.rand(1, 3, 8, 8), box=torch.zeros(1, 4))
    loss.backward()
    assert loss == 0
    assert logits.grad.abs().max() == 0


@pytest.mark.parametrize('size', [(9, 7), (2, 3)])
def test_odd_sizes(size):
    logits = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    known = torch.rand(2, 3, *size), torch.full((2, *size), 255)
    loss = DenseEnergyLoss(factor=1.0)
    value = loss(logits, *known)
    value.backward()
    assert value.dtype == torch.float64
    assert value < 0
    step = 1e-3 * logits.grad / logits.grad.norm()
    with torch.no_grad():
        slope = (loss(logits + step, *known) - loss(logits - step, *known)) / 2e-3
    # The lattice filters a little differently forth and back.
    assert_close(slope, logits.grad.norm(), rtol=0.01, atol=0)


def test_an_unsure_pixel_follows_the_sure_ones_of_its_colour():
    images = torch.zeros(1, 3, 8, 8)
    images[..., 4:] = 1
    logits = torch.zeros(1, 2, 8, 8)
    logits[:, 0, :6, :4] = logits[:, 1, :6, 4:] = 3
    logits.requires_grad_()
    DenseEnergyLoss(scale=1.0)(logits, images).backward()
    better = logits.grad.argmin(dim=1)
    assert better[:, 6:, :4].eq(0).all()
    assert better[:, 6:, 4:].eq(1).all()


def test_errors():
    for wrong in (dict(sigma_rgb=0), dict(sigma_xy=-1), dict(scale=0)):
        with pytest.raises(ValueError, match='positive sigma_rgb, sigma_xy and scale'):
            DenseEnergyLoss(**wrong)
    loss, logits, images = DenseEnergyLoss(), torch.randn(2, 3, 4, 4), torch.rand(2, 3, 8, 8)
    with pytest.raises(ValueError, match='of one size'):
        loss(logits, images, torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match='of one size'):
        loss(logits[:1], images)
    with pytest.raises(ValueError, match='expected boxes'):
        loss(logits, images, box=torch.zeros(1, 4))
