from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.heads import DeepLabV2Head


def _head(channels=4, classes=3, **options):
    return DeepLabV2Head(channels, num_classes=classes, **options).double()


def test_it_is_the_sum_of_four_dilated_convolutions():
    head = _head()
    torch.manual_seed(0)
    features = torch.randn(2, 4, 15, 11, dtype=torch.float64)
    expected = torch.zeros(2, 3, 15, 11, dtype=torch.float64)
    for conv, rate in zip(head.conv_seg, (6, 12, 18, 24), strict=True):
        torch.nn.init.normal_(conv.bias)
        expected += F.conv2d(features, conv.weight, conv.bias, padding=rate, dilation=rate)
    torch.testing.assert_close(head((features,)), expected)


def test_a_pixel_sees_its_own_and_the_rates_away():
    head = _head(1, 2)
    for parameter in head.parameters():
        parameter.data.fill_(1.0)
    image = torch.ones(1, 1, 1, 61, dtype=torch.float64, requires_grad=True)
    head((image,))[0, 0, 0, 30].backward()
    seen = image.grad.flatten()
    assert seen.nonzero().flatten().tolist() == [6, 12, 18, 24, 30, 36, 42, 48, 54]
    assert seen[30] == 4


def test_gradient_reaches_every_weight():
    head = _head()
    head((torch.randn(2, 4, 51, 53, dtype=torch.float64),)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())


def test_first_weights_are_small_and_without_bias():
    torch.manual_seed(0)
    head = _head(64, 21)
    head.init_weights()
    for conv in head.conv_seg:
        assert conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
        assert not conv.bias.any()


@pytest.mark.parametrize('size', [(5, 7), (1, 1)])
def test_shapes_level_and_rates(size):
    head = _head(6, 4, in_index=0, rates=(1, 2))
    maps = (torch.zeros(2, 6, *size).double(), torch.zeros(2, 3, 1, 1).double())
    assert head(maps).shape == (2, 4, *size)
    assert [conv.dilation for conv in head.conv_seg] == [(1, 1), (2, 2)]


def test_dropout_is_of_the_training_only():
    head = _head(dropout_ratio=0.5)
    features = torch.ones(1, 4, 3, 3, dtype=torch.float64)
    torch.manual_seed(0)
    assert not torch.equal(head((features,)), head((features,)))
    head.eval()
    assert torch.equal(head((features,)), head((features,)))


def test_it_teaches_in_the_toolbox():
    config = dict(type='DeepLabV2Head', in_channels=4, num_classes=3, align_corners=False)
    head = MODELS.build(config)
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.tensor([[[0, 1], [2, 255]]])))
    losses = head.loss((torch.ones(1, 4, 1, 1),), [sample], {})
    logits = head((torch.ones(1, 4, 1, 1),)).expand(1, 3, 2, 2)
    label = sample.gt_sem_seg.data
    # The mean over all pixels, as the toolbox takes it.
    expected = F.cross_entropy(logits, label, ignore_index=255, reduction='sum') / 4
    torch.testing.assert_close(losses['loss_ce'], expected)
    weights = list(head.parameters())
    received, wanted = (torch.autograd.grad(one, weights) for one in (losses['loss_ce'], expected))
    torch.testing.assert_close(received, wanted)


@pytest.mark.parametrize('rates', [(), (6, 0)])
def test_refuses_rates_that_are_none(rates):
    with pytest.raises(ConfigError, match=r'rates of DeepLabV2Head: expected dilations'):
        DeepLabV2Head(4, num_classes=3, rates=rates)
