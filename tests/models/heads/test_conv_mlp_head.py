from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.models.heads import ConvMLPHead


@pytest.mark.parametrize('size', [(5, 7), (1, 1)])
def test_is_the_published_chain_on_its_level(size):
    head = ConvMLPHead(6, num_classes=4, channels=8, in_index=0)
    maps = torch.randn(2, 6, *size)
    embedded = F.conv2d(maps, head.embedding.weight, head.embedding.bias)
    for layer in (head.convs[0], head.convs[2]):
        embedded = F.conv2d(embedded, layer.weight, layer.bias, padding=1).relu()
    expected = F.conv2d(embedded, head.conv_seg.weight, head.conv_seg.bias)
    assert_close(head((maps, torch.randn(2, 3, 1, 1))), expected)


def test_gradient_reaches_every_weight():
    head = ConvMLPHead(6, num_classes=4, channels=8)
    head((torch.randn(2, 6, 5, 7),)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
