from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.backbones import WideBottleneckBlock, WideResidualBlock, WideResNet38
from wsss_plugin.models.heads import AffinityHead

CLOSE = {'atol': 1e-5, 'rtol': 0}
NAMES = Path(__file__).parents[2] / 'data' / 'psa_resnet38_formula.npz'


def formula(number, name, shape):
    """The values that the reference has been given for its entries."""
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = index.mul(1e-4).mul_(index).fmod_(6).add_(index.mul_(0.37)).add_(0.7 * (number + 1))
    values = wave.sin_().view(shape)
    if name.endswith('running_var'):
        return 1 + 0.25 * values
    if name.endswith('running_mean'):
        return 0.1 * values
    if len(shape) == 1:
        return 1 + 0.2 * values if name.endswith('weight') else 0.05 * values
    return values * math.sqrt(1 / math.prod(shape[1:]))


@pytest.fixture(scope='module')
def network():
    """The network with the reference's weights."""
    with torch.device('meta'):
        network = WideResNet38()
    network = network.to_empty(device='cpu')
    state = network.state_dict()
    for number, (name, entry) in enumerate(state.items()):
        if entry.dim():
            entry.copy_(formula(number, name, entry.shape))
    return network.eval()


def test_matches_the_reference(reference, network):
    arrays = reference('psa_resnet38_formula')
    image = torch.arange(5760, dtype=torch.float64).mul(0.05).sin().view(1, 3, 48, 40).float()
    with torch.no_grad():
        maps = network.forward_features(image, ('conv6', 'conv4', 'conv5', 'cam'))
    for name, step in (('conv4', 4), ('conv5', 8), ('conv6', 16)):
        assert_close(maps[name][:, ::step], arrays[name], **CLOSE)
    number = len(network.state_dict())
    weight = formula(number, 'fc8.weight', (20, 4096, 1, 1)).float()
    assert_close(F.conv2d(maps['cam'], weight).relu(), arrays['cam'], **CLOSE)
    assert_close(
        F.conv2d(maps['cam'].mean(dim=(2, 3), keepdim=True), weight).flatten(1),
        arrays['logit'],
        **CLOSE,
    )


def test_has_the_published_names_and_size(network):
    with np.load(NAMES) as arrays:
        names = [name for name in arrays['names'] if not name.startswith('fc8')]
    assert list(network.state_dict()) == names
    classifier = 20 * 4096
    size = sum(parameter.numel() for parameter in network.parameters()) + classifier
    assert round(size / 1e6, 2) == 105.15


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='WideResNet38', base_channels=2, **kwargs))


def test_maps_at_stride_eight():
    maps = build()(torch.randn(2, 3, 65, 40))
    assert [tuple(level.shape[1:]) for level in maps] == [(16, 9, 5), (32, 9, 5), (128, 9, 5)]
    assert all((level >= 0).all() for level in maps)


def test_only_what_is_asked_for_is_computed():
    network = build()
    with torch.device('meta'):
        network.b5 = WideBottleneckBlock(16, 32, 4, 0.0)
        network.b6 = WideBottleneckBlock(16, 32, 4, 0.0)
    network.b5.bn_branch2a = torch.nn.BatchNorm2d(16)
    maps = network.forward_features(torch.randn(1, 3, 16, 16), ('conv4',))
    assert list(maps) == ['conv4']
    assert network.forward_features(torch.randn(1, 3, 16, 16), ()) == {}


def test_adaptation_layer_of_the_paper():
    network = build(cam_channels=12, out_features=('cam',)).eval()
    image = torch.randn(1, 3, 32, 32)
    (adapted,) = network(image)
    conv6 = network.forward_features(image, ('conv6',))['conv6']
    assert_close(adapted, F.relu(network.cam_adaptation(conv6)))
    assert adapted.shape == (1, 12, 4, 4)


def test_dropout_of_the_cam_only_in_training():
    network = build(dropout=(0.0, 0.0))
    image = torch.randn(1, 3, 32, 32)
    for mode in (True, False):
        maps = network.train(mode).forward_features(image, ('conv6', 'cam'))
        assert torch.equal(maps['conv6'], maps['cam']) is not mode


def test_frozen_parts_do_not_train():
    network = build().train()
    network(torch.randn(2, 3, 32, 32))[-1].sum().backward()
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith(('conv1a', 'b2')) or 'bn' in name for name in trained)
    assert {name for name, part in network.named_parameters() if part.grad is not None} == trained
    assert 'b3.conv_branch2a.weight' in trained
    assert torch.equal(network.bn7.running_mean, torch.zeros(128))


def test_everything_trains_if_asked():
    network = build(frozen_levels=0, frozen_norm=False).train()
    network(torch.randn(2, 3, 32, 32))[-1].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert not torch.equal(network.bn7.running_mean, torch.zeros(128))


def test_frozen_to_the_end():
    network = build(frozen_levels=7).train()
    trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert trained == []
    assert not network.b7.dropout.training


@pytest.mark.parametrize('wrapped', [False, True])
def test_pretrained_weights_are_loaded(tmp_path, wrapped):
    state = build().state_dict()
    content = dict(state, **{'fc8.weight': torch.zeros(20, 128, 1, 1)})
    torch.save(dict(state_dict=content) if wrapped else content, tmp_path / 'r38.pth')
    network = build(pretrained=str(tmp_path / 'r38.pth'), cam_channels=3)
    network.init_weights()
    for name, entry in state.items():
        assert torch.equal(network.state_dict()[name], entry)


def test_pretrained_weights_are_checked(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'backbone\.pretrained.*none\.pth.*convert_r38'):
        build(pretrained=str(tmp_path / 'none.pth')).init_weights()
    state = build().state_dict()
    state['other'] = state.pop('b3.conv_branch1.weight')
    torch.save(state, tmp_path / 'r38.pth')
    with pytest.raises(ValueError, match=r"none for \['b3\.conv_branch1.*unknown \['other"):
        build(pretrained=str(tmp_path / 'r38.pth')).init_weights()


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"among .*'conv6'.* received 'conv7'"):
        build(out_features=('conv7',))
    with pytest.raises(ValueError, match='frozen_levels between 0 and 7, received 8'):
        build(frozen_levels=8)


def test_shortcut_of_equal_shapes_is_the_input():
    block = WideResidualBlock(4, 8, 4)
    torch.nn.init.zeros_(block.conv_branch2b1.weight)
    inputs = torch.randn(1, 4, 5, 5)
    assert torch.equal(block(inputs), inputs)


@pytest.mark.parametrize(
    'block', [WideResidualBlock(2, 3, 4, 2, 1, 2), WideBottleneckBlock(2, 4, 2, 0.0)]
)
def test_gradient(block):
    inputs = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block.double().eval(), (inputs,))


def test_affinity_head_reads_its_maps():
    head = AffinityHead(in_channels=(16, 32, 128), radius=3)
    network, image = build().eval(), torch.randn(1, 3, 48, 48)
    affinity = head.affinity(network(image))
    assert affinity.shape == (1, 12, 36)
    maps = network.forward_features(image, ('conv4', 'conv5', 'conv6'))
    assert_close(affinity, head.affinity(tuple(maps.values())))
