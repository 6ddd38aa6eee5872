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


def test_class_weights_against_the_formula():
    logits = torch.tensor([[0.3, -1.0, 2.0], [1.5, 0.2, -0.4]], dtype=torch.float64)
    tags = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    weights = (0.5, 2.0, 0.5)
    probability = 1 / (1 + (-logits).exp())
    entropy = -(tags * probability.log() + (1 - tags) * (1 - probability).log())
    expected = (entropy * torch.tensor(weights, dtype=torch.float64)).sum() / (2 * 3)
    loss = MultiLabelSoftMarginLoss(class_weight=weights)
    assert_close(loss(logits, tags), expected)
    assert_close(MultiLabelSoftMarginLoss(class_weight=(1, 1, 1))(logits, tags), entropy.mean())
    assert loss.state_dict() == {}


def test_gradient_of_a_class_is_as_many_times_its_weight():
    tags = torch.tensor([[1.0, 0.0]])
    gradients = []
    for weight in (None, (3.0, 0.25)):
        logits = torch.tensor([[0.7, -0.2]], dtype=torch.float64, requires_grad=True)
        MultiLabelSoftMarginLoss(class_weight=weight)(logits, tags).backward()
        gradients.append(logits.grad[0])
    assert_close(gradients[1], gradients[0] * torch.tensor([3.0, 0.25], dtype=torch.float64))


@pytest.mark.parametrize(
    'weight', ['frequency', (), (1.0, 0.0), (1.0, -1.0), (1.0, math.inf), (1.0, 'a'), (math.nan,)]
)
def test_class_weights_that_are_none(weight):
    with pytest.raises(ValueError, match='class_weight of MultiLabelSoftMarginLoss: expected'):
        MultiLabelSoftMarginLoss(class_weight=weight)


def test_weights_of_other_classes_or_not_yet_known():
    logits, tags = torch.zeros(1, 2), torch.ones(1, 2)
    with pytest.raises(ValueError, match=r'expected 2 weights, one for each .* received 3'):
        MultiLabelSoftMarginLoss(class_weight=(1, 1, 1))(logits, tags)
    loss = MultiLabelSoftMarginLoss(class_weight='tag_frequency')
    with pytest.raises(ValueError, match=r"add dict\(type='TagFrequencyHook'\) to custom_hooks"):
        loss(logits, tags)
    loss.set_class_weight([2, 2])
    assert loss(logits, tags).item() == pytest.approx(2 * math.log(2))
