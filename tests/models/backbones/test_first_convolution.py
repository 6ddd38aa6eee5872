import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from timm.models import adapt_input_conv
from torch import nn

import wsss_plugin.models  # noqa: F401  (fills the registry)
from wsss_plugin.engine.checkpoint_fit import check_weights_fit
from wsss_plugin.errors import ConfigError
from wsss_plugin.models.backbones.first_convolution import adapt_when_loaded, image_channels

_VIT = dict(
    type='TimmVisionTransformer',
    model_name='vit_tiny_patch16_224',
    model_args=dict(img_size=32, embed_dim=24, depth=2, num_heads=3),
)
_CNN = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)
_MODULATION = dict(type='ActivationModulation', reduction=4)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


def _dual(**options):
    return MODELS.build(
        dict(type='DualBranchBackbone', cnn=_CNN, vit=_VIT, modulation=_MODULATION, **options)
    )


@pytest.mark.parametrize('channels', [4, 5])
def test_weights_of_colours_are_repeated_over_the_bands(channels):
    colours, bands = nn.Sequential(nn.Conv2d(3, 2, 3)), nn.Sequential(nn.Conv2d(channels, 2, 3))
    adapt_when_loaded(bands)
    given = colours.state_dict()
    check_weights_fit(bands, given)
    bands.load_state_dict(given)
    weight = given['0.weight']
    for band in range(channels):
        torch.testing.assert_close(bands[0].weight[:, band], weight[:, band % 3] * 3 / channels)
    own = {name: torch.randn_like(value) for name, value in bands.state_dict().items()}
    bands.load_state_dict(own)
    assert torch.equal(bands[0].weight, own['0.weight'])


def test_a_network_without_convolutions_has_no_channels():
    assert image_channels(nn.Linear(2, 2)) is None


def test_both_branches_take_the_bands_and_start_from_weights_of_colours(tmp_path):
    colours, bands = _dual(), _dual(in_channels=5)
    assert [image_channels(bands.cnn), bands.vit.in_channels] == [5, 5]
    weights = colours.cnn.state_dict()
    torch.save(weights, tmp_path / 'cnn.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'cnn.pth'))
    trunk = colours.vit.trunk.state_dict()
    torch.save(trunk, tmp_path / 'vit.pth')
    pretrained = MODELS.build(
        dict(
            type='DualBranchBackbone',
            cnn=dict(_CNN, init_cfg=init_cfg),
            vit=dict(_VIT, pretrained=str(tmp_path / 'vit.pth')),
            in_channels=5,
        )
    )
    pretrained.init_weights()
    first = adapt_input_conv(5, weights['conv1.weight'])
    torch.testing.assert_close(pretrained.cnn.conv1.weight, first)
    assert torch.equal(pretrained.cnn.layer1[0].conv1.weight, weights['layer1.0.conv1.weight'])
    patches = adapt_input_conv(5, trunk['patch_embed.proj.weight'])
    torch.testing.assert_close(pretrained.vit.trunk.patch_embed.proj.weight, patches)
    grey = torch.rand(1, 1, 32, 32)
    pretrained.eval()
    with torch.no_grad():
        seen = pretrained.cnn.conv1(grey.expand(1, 5, 32, 32))
        expected = nn.functional.conv2d(
            grey, weights['conv1.weight'].sum(1, keepdim=True), None, 2, 3
        )
    # Five bands are 3 / 5 (2 r + 2 g + b) of what red, green and blue are.
    two = weights['conv1.weight'][:, :2].sum(1, keepdim=True)
    expected = 0.6 * (expected + nn.functional.conv2d(grey, two, None, 2, 3))
    torch.testing.assert_close(seen, expected)


def test_branches_for_different_images_are_refused():
    with pytest.raises(ConfigError, match='a CNN of 3 channels and a transformer of 4'):
        MODELS.build(dict(type='DualBranchBackbone', cnn=_CNN, vit=dict(_VIT, in_channels=4)))


def test_the_deployed_branch_takes_the_bands():
    config = dict(type='DualBranchBackbone', cnn=_CNN, vit=_VIT, in_channels=5)
    kind = MODELS.get('DualBranchBackbone')
    assert kind.deployed(config, ('patch',))[0]['in_channels'] == 5
