from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import nn

from wsss_plugin.models.backbones import TimmVisionTransformer, check_feature, read_features
from wsss_plugin.models.backbones.feature_backbone import FeatureBackbone

TINY = dict(depth=2, embed_dim=24, num_heads=3)


@pytest.fixture
def resnet():
    init_default_scope('mmseg')
    backbone = MODELS.build(dict(type='ResNet', depth=18, base_channels=8))
    backbone.eval()
    return backbone


def test_outputs_and_submodules_of_a_stock_backbone(resnet):
    image = torch.randn(1, 3, 32, 32)
    maps = resnet(image)
    names = ['layer2', 'out.-1', 'out.0', 'layer1.0.conv1']
    features = read_features(resnet, image, names)
    assert list(features) == names
    torch.testing.assert_close(features['layer2'], maps[1])
    torch.testing.assert_close(features['out.-1'], maps[3])
    torch.testing.assert_close(features['out.0'], maps[0])
    assert features['layer1.0.conv1'].shape == (1, 8, 8, 8)


def test_reading_leaves_no_trace_in_the_backbone(resnet):
    before = list(resnet.state_dict())
    with pytest.raises(ValueError, match='out'):
        read_features(resnet, torch.randn(1, 3, 32, 32), ['layer1', 'out.4'])
    assert list(resnet.state_dict()) == before
    assert not any(module._forward_hooks for module in resnet.modules())


def test_the_backbone_is_not_run_for_nothing(resnet):
    resnet.forward = None
    assert read_features(resnet, torch.randn(1, 3, 32, 32), []) == {}


def test_a_backbone_that_returns_one_tensor():
    features = read_features(nn.ReLU(), torch.full((1, 1, 1, 1), -1.0), ['out.0', 'out.-1'])
    assert features['out.0'].item() == features['out.-1'].item() == 0


def test_a_backbone_with_names_of_its_own_is_asked_itself():
    vit = TimmVisionTransformer('vit_tiny_patch16_224', model_args=TINY).eval()
    assert isinstance(vit, FeatureBackbone)
    image = torch.randn(1, 3, 32, 32)
    features = read_features(vit, image, ['inner.0', 'class'])
    expected = vit.forward_features(image, ['inner.0', 'class'])
    torch.testing.assert_close(features, expected)
    check_feature(vit, 'inner.1')
    with pytest.raises(ValueError, match=r"'inner\.<block>'.*received 'layer1'"):
        check_feature(vit, 'layer1')


def test_gradients_pass(resnet):
    image = torch.randn(1, 3, 32, 32, requires_grad=True)
    read_features(resnet, image, ['layer3'])['layer3'].sum().backward()
    assert image.grad.abs().sum() > 0
    assert resnet.layer4[0].conv1.weight.grad is None


@pytest.mark.parametrize('name', ['layer4', 'layer1.0.conv1', 'out.0', 'out.-1', 'out.9'])
def test_names_that_can_be(resnet, name):
    check_feature(resnet, name)


@pytest.mark.parametrize('name', ['layer5', '', 'patch', 'out.x', 'out.'])
def test_names_that_cannot_be(resnet, name):
    with pytest.raises(
        ValueError, match=rf"submodule of ResNet, such as .*'layer1'.*received {name!r}"
    ):
        check_feature(resnet, name)


def test_an_output_that_the_backbone_has_not(resnet):
    with pytest.raises(ValueError, match=r"i from -4 to 3, received 'out\.4'.*returns 4 maps"):
        read_features(resnet, torch.randn(1, 3, 32, 32), ['out.4'])
