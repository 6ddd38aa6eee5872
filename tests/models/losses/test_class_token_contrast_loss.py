from __future__ import annotations

import math

import pytest
import torch
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.losses import ClassTokenContrastLoss

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    arrays = reference('ctc_loss')
    images = len(arrays['flags'])
    by_image = {
        key: value.unflatten(0, (-1, images)).transpose(0, 1).contiguous()
        for key, value in arrays.items()
        if key in ('student', 'teacher') or key.startswith('grad')
    }
    return arrays | by_image


@pytest.mark.parametrize('temperature', [0.5, 1.0])
def test_reference_value_and_gradient(arrays, temperature):
    student = arrays['student'].requires_grad_()
    loss = MODELS.build({'type': 'ClassTokenContrastLoss', 'temperature': temperature})
    value = loss(student, arrays['teacher'], arrays['flags'])
    assert_close(value, arrays[f'loss_t{temperature}'], **CLOSE)
    value.backward()
    assert_close(student.grad, arrays[f'grad_t{temperature}'], **CLOSE)


def test_epsilon():
    """One positive without negatives: -log(e / (e + eps)) - log(1 / (1 + eps)), over 1 + eps."""
    token, eps = torch.zeros(1, 1, 2, dtype=torch.float64), 0.5
    value = ClassTokenContrastLoss(eps=eps)(token, token, torch.ones(1, 1))
    assert value.item() == pytest.approx(2 * math.log(1.5) / 1.5)
    with pytest.raises(ValueError, match='positive eps, received 0'):
        ClassTokenContrastLoss(eps=0)


def test_default_temperature_weight_and_flags(arrays):
    loss = ClassTokenContrastLoss(loss_weight=0.5)
    value = loss(arrays['student'], arrays['teacher'], arrays['flags'].bool())
    assert_close(value, 0.5 * arrays['loss_t0.5'], **CLOSE)


def test_fp16_tokens_do_not_overflow():
    tokens = torch.full((1, 10, 64), 2.0).half()
    loss = ClassTokenContrastLoss()(tokens, tokens[:, :2], torch.arange(10).view(1, 10) < 2)
    # All logits are 2 * 2 * 64 / 0.5; two of the ten crops are positive.
    expected = (2 * math.log(9) + 512 + math.log(8)) / (2 + 1e-4)
    assert loss.item() == pytest.approx(expected)


def test_temperature_is_positive():
    with pytest.raises(ValueError, match='temperature'):
        ClassTokenContrastLoss(temperature=0)
