from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.testing import assert_close

from wsss_plugin.models.losses import BalancedCrossEntropyLoss

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    return reference('seg_loss')


def test_reference_value_and_gradient(arrays):
    logits = arrays['logits'].requires_grad_()
    loss = MODELS.build({'type': 'BalancedCrossEntropyLoss'})
    value = loss(logits, arrays['label'])
    assert_close(value, arrays['loss_toco'], **CLOSE)
    value.backward()
    assert_close(logits.grad, arrays['grad_toco'], **CLOSE)
    assert loss.loss_name == 'loss_seg'


def test_reference_value_without_foreground(arrays):
    loss = BalancedCrossEntropyLoss()(arrays['logits'], arrays['label_without_foreground'])
    assert_close(loss, arrays['loss_dupl_without_foreground'], **CLOSE)


@pytest.mark.parametrize('value', [0, 2, 255])
def test_a_part_that_is_empty_counts_nothing(value):
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    label = torch.full((2, 4, 4), value)
    loss = BalancedCrossEntropyLoss()(logits, label)
    loss.backward()
    expected = 0 * logits.sum() if value == 255 else 0.5 * F.cross_entropy(logits, label)
    assert_close(loss, expected)
    assert_close(logits.grad, torch.autograd.grad(expected, logits)[0])


def test_another_ignore_index_and_weights():
    logits = torch.randn(1, 3, 2, 2)
    label = torch.tensor([[[0, 1], [2, -1]]])
    pixels = F.cross_entropy(logits, label, ignore_index=-1, reduction='none')
    weight = torch.tensor([[[2.0, 1.0], [3.0, 4.0]]])
    expected = 0.5 * 2 * pixels[0, 0, 0] + 0.25 * (pixels[0, 0, 1] + 3 * pixels[0, 1, 0])
    loss = BalancedCrossEntropyLoss(loss_weight=0.1)
    assert_close(loss(logits, label, weight=weight, ignore_index=-1), 0.1 * expected)


def test_gradient():
    logits = torch.randn(1, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([[[0, 1, 2], [255, 0, 1]]])
    assert torch.autograd.gradcheck(lambda x: BalancedCrossEntropyLoss()(x, label), (logits,))


def test_in_a_decode_head():
    head = MODELS.build(
        {
            'type': 'FCNHead',
            'in_channels': 4,
            'channels': 4,
            'num_convs': 1,
            'num_classes': 3,
            'loss_decode': {'type': 'BalancedCrossEntropyLoss', 'loss_weight': 0.1},
        }
    )
    features, label = torch.randn(1, 4, 3, 3), torch.randint(0, 3, (1, 1, 3, 3))
    sample = SegDataSample(gt_sem_seg=PixelData(data=label[0]))
    losses = head.loss([features], [sample], {})
    logits = head([features])
    expected = 0.1 * BalancedCrossEntropyLoss()(logits, label[:, 0])
    assert_close(losses['loss_seg'], expected)


def test_the_share_of_the_foreground_weighs_the_two_parts():
    pred, label = torch.randn(1, 3, 2, 4), torch.tensor([[[0, 0, 0, 1], [2, 255, 0, 0]]])
    pixels = torch.nn.functional.cross_entropy(pred, label, ignore_index=255, reduction='none')
    background, foreground = pixels[label == 0].mean(), pixels[(label == 1) | (label == 2)].mean()
    loss = BalancedCrossEntropyLoss(foreground_weight=0.2)(pred, label)
    torch.testing.assert_close(loss, 0.8 * background + 0.2 * foreground)


@pytest.mark.parametrize('share', [0.0, 1.0, -0.5])
def test_the_share_of_the_foreground_is_checked(share):
    with pytest.raises(ValueError, match=f'foreground_weight.*received {share}'):
        BalancedCrossEntropyLoss(foreground_weight=share)


@pytest.mark.parametrize('align_corners', [False, True])
def test_smaller_logits_are_resized(align_corners):
    logits = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    label = torch.randint(0, 3, (2, 5, 7))
    label[0, 0] = 255
    weight = torch.rand(2, 5, 7, dtype=torch.float64)
    whole = F.interpolate(logits, (5, 7), mode='bilinear', align_corners=align_corners)
    loss = BalancedCrossEntropyLoss(loss_weight=0.3)
    expected = loss(whole, label, weight)
    received = loss(logits, label, weight, align_corners=align_corners)
    assert_close(received, expected, rtol=0, atol=1e-12)
    slopes = [torch.autograd.grad(one, logits)[0] for one in (received, expected)]
    assert_close(*slopes, rtol=0, atol=1e-12)
