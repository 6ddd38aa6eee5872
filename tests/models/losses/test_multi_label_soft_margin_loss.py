from __future__ import annotations

import math

import pytest
import torch
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.losses import MultiLabelSoftMarginLoss


def test_reference_value(reference):
    arrays = reference('seg_loss')
    loss = MODELS.build({'type': 'MultiLabelSoftMarginLoss'})
    value = loss(arrays['cls_logits'], arrays['cls_target'])
    assert_close(value, arrays['multilabel_soft_margin'], atol=1e-5, rtol=0)
    assert loss.loss_name == 'loss_cls'


def test_weight_and_integer_tags():
    loss = MultiLabelSoftMarginLoss(loss_weight=0.5)
    assert loss(torch.zeros(2, 1), torch.tensor([[1], [0]])).item() == pytest.approx(
        0.5 * math.log(2)
    )


def test_half_precision_is_computed_in_float32():
    value = MultiLabelSoftMarginLoss()(torch.full((1, 2), -30.0).half(), torch.ones(1, 2))
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(30)


def test_gradient():
    logits = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    tags = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert torch.autograd.gradcheck(lambda x: MultiLabelSoftMarginLoss()(x, tags), (logits,))


def test_number_of_tags():
    with pytest.raises(ValueError, match='num_classes'):
        MultiLabelSoftMarginLoss()(torch.rand(2, 3), torch.rand(2, 4))
