from __future__ import annotations

import pytest
import torch

from wsss_plugin.models.heads import ConvMLPHead


@pytest.mark.parametrize('size', [(5, 7), (1, 1)])
def test_shapes_and_level(size):
    head = ConvMLPHead(6, num_classes=4, channels=8, in_index=0)
    assert head((torch.randn(2, 6, *size), torch.randn(2, 3, 1, 1))).shape == (2, 4, *size)


def test_gradient_reaches_every_weight():
    head = ConvMLPHead(6, num_classes=4, channels=8)
    head((torch.randn(2, 6, 5, 7),)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
