from __future__ import annotations

import copy

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

VIT = dict(
    type='TimmVisionTransformer',
    model_name='vit_tiny_patch16_224',
    model_args=dict(depth=3, embed_dim=24, num_heads=3),
)
RESNET = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)
MODULATION = dict(type='ActivationModulation', reduction=4)
CNNS = {
    'resnet18': (RESNET, 64, ('layer1', 'layer2', 'layer3')),
    'resnet50': (dict(RESNET, depth=50), 256, ('layer1', 'layer2', 'layer3')),
    'mobilenet': (dict(type='MobileNetV2', out_indices=(6,)), 320, ('layer2', 'layer3', 'layer5')),
    'mmpretrain mobilenet': (
        dict(type='mmpretrain.MobileNetV2', out_indices=(6,)),
        320,
        ('layer2', 'layer3', 'layer5'),
    ),
    'mmpretrain resnet': (
        dict(type='mmpretrain.ResNet', depth=18),
        512,
        ('layer1', 'layer2', 'layer3'),
    ),
}


def cnn_map(backbone, image):
    return backbone.forward_features(image, ['cnn'])['cnn']


def build(cnn=RESNET, **kwargs):
    init_default_scope('mmseg')
    config = dict(type='DualBranchBackbone', cnn=cnn, vit=VIT, **kwargs)
    return MODELS.build(copy.deepcopy(config))


@pytest.mark.parametrize('placement', ['stage', 'residual'])
@pytest.mark.parametrize('name', CNNS)
def test_any_cnn_with_stages(name, placement):
    cnn, channels, stages = CNNS[name]
    backbone = build(cnn, modulation=MODULATION, modulated_stages=stages, placement=placement)
    image = torch.randn(2, 3, 64, 48)
    assert cnn_map(backbone, image).shape[:2] == (2, channels)
    maps = backbone(image)
    assert maps[-1].shape == (2, 24, 4, 3)
    if placement == 'stage':
        assert len(backbone.modulations) == 3


def test_a_stage_of_several_maps_is_refused():
    backbone = build()
    backbone.cnn.layer1.register_forward_hook(lambda _module, _inputs, output: [output])
    backbone.cnn.layer2.register_forward_pre_hook(lambda _module, inputs: inputs[0][0])
    with pytest.raises(TypeError, match=r'one feature map.*modulated_stages.*received list'):
        backbone._output_channels([backbone.cnn.layer1])


def test_modulation_acts_on_the_output_of_the_stage():
    backbone = build(modulation=MODULATION, modulated_stages=('layer1',)).eval()
    plain = build().eval()
    plain.cnn.load_state_dict(backbone.cnn.state_dict())
    image = torch.randn(1, 3, 64, 64)
    stage1 = plain.cnn(image)[0]
    expected = backbone.modulations[0](stage1)
    torch.testing.assert_close(backbone.cnn(image)[0], expected)
    assert not torch.allclose(stage1, expected)
    torch.testing.assert_close(backbone.cnn(image)[1], plain.cnn.layer2(expected))


def test_residual_placement_leaves_the_shortcut_alone():
    backbone = build(
        modulation=MODULATION, modulated_stages=('layer1',), placement='residual'
    ).eval()
    block = backbone.cnn.layer1[0]
    x = torch.rand(1, 8, 6, 6)
    residual = block.norm2._forward_hooks.copy()
    block.norm2._forward_hooks.clear()
    inner = block.norm2(block.conv2(block.relu(block.norm1(block.conv1(x)))))
    block.norm2._forward_hooks.update(residual)
    torch.testing.assert_close(block(x), torch.relu(backbone.modulations[0](inner) + x))


@pytest.mark.parametrize('name', ['mobilenet', 'mmpretrain mobilenet'])
def test_residual_placement_skips_blocks_without_a_shortcut(name):
    cnn, _, stages = CNNS[name]
    backbone = build(cnn, modulation=MODULATION, modulated_stages=stages, placement='residual')
    blocks = [block for stage in stages for block in backbone.cnn.get_submodule(stage)]
    assert [bool(block.conv._forward_hooks) for block in blocks] == [
        block.use_res_connect for block in blocks
    ]
    assert len(backbone.modulations) == 5


def test_residual_placement_needs_a_shortcut_in_every_stage():
    cnn, _, _ = CNNS['mobilenet']
    with pytest.raises(ValueError, match="'layer1' without"):
        build(cnn, modulation=MODULATION, modulated_stages=('layer1',), placement='residual')


def test_parameter_names_of_the_cnn_stay_the_same():
    with_modulation, without = build(modulation=MODULATION), build()
    assert with_modulation.cnn.state_dict().keys() == without.cnn.state_dict().keys()


def test_a_copy_uses_its_own_modulation():
    backbone = build(modulation=MODULATION).eval()
    twin = copy.deepcopy(backbone)
    image = torch.randn(1, 3, 64, 64)
    expected = cnn_map(backbone, image)
    with torch.no_grad():
        for parameter in twin.modulations.parameters():
            parameter.add_(torch.randn_like(parameter))
    assert not torch.allclose(cnn_map(twin, image), expected)
    torch.testing.assert_close(cnn_map(backbone, image), expected)


def test_gradient_reaches_the_modulation_and_the_stem():
    torch.manual_seed(0)
    backbone = build(modulation=MODULATION)
    cnn_map(backbone, torch.randn(2, 3, 64, 64)).square().sum().backward()
    assert backbone.cnn.conv1.weight.grad.abs().sum() > 0
    for modulation in backbone.modulations:
        assert any(parameter.grad.abs().sum() > 0 for parameter in modulation.parameters())


def test_probing_the_channels_leaves_the_statistics_alone():
    backbone = build(modulation=MODULATION)
    assert backbone.cnn.bn1.num_batches_tracked == 0
    assert backbone.cnn.training


def test_unknown_stage_is_named():
    with pytest.raises(ValueError, match=r"modulated_stages.*layer1.*received \['stage9'\]"):
        build(modulation=MODULATION, modulated_stages=('stage9',))


def test_unknown_placement():
    with pytest.raises(ValueError, match='placement'):
        build(modulation=MODULATION, placement='before')


def test_a_transformer_without_tokens_is_refused():
    init_default_scope('mmseg')
    with pytest.raises(TypeError, match='forward_features and check_feature, received ResNet'):
        MODELS.build(dict(type='DualBranchBackbone', cnn=RESNET, vit=RESNET))


def _to_sync(module):
    return torch.nn.SyncBatchNorm.convert_sync_batchnorm(module)


@pytest.mark.parametrize('placement', ['stage', 'residual'])
@pytest.mark.parametrize('seen_before', [False, True])
def test_modulation_survives_the_conversion_of_batch_norms(placement, seen_before):
    backbone = build(
        modulation=MODULATION, modulated_stages=('layer1', 'layer2'), placement=placement
    ).eval()
    image = torch.randn(1, 3, 64, 64)
    expected = cnn_map(copy.deepcopy(backbone), image)
    if seen_before:
        cnn_map(backbone, image)
    converted = revert_sync_batchnorm(_to_sync(backbone))
    torch.testing.assert_close(cnn_map(converted, image), expected)
    torch.testing.assert_close(cnn_map(converted, image), expected)
    cnn_map(converted, image).sum().backward()
    gradients = [p.grad for p in converted.modulations.parameters() if p.requires_grad]
    assert all(gradient is not None for gradient in gradients)


def test_features_of_both_branches_by_name():
    backbone = build().eval()
    image = torch.randn(1, 3, 64, 48)
    names = ['cnn', 'patch', 'cnn.layer1', 'inner.1', 'class']
    features = backbone.forward_features(image, names)
    assert set(features) == set(names)
    maps = backbone(image)
    torch.testing.assert_close(features['cnn'], maps[3])
    torch.testing.assert_close(features['cnn.layer1'], maps[0])
    torch.testing.assert_close(features['patch'], maps[-1])
    assert features['class'].shape == (1, 24)


@pytest.mark.parametrize(('names', 'idle'), [(['patch', 'class'], 'cnn'), (['cnn'], 'vit')])
def test_a_branch_without_a_name_is_not_run(names, idle):
    backbone = build()
    if idle == 'cnn':
        backbone.cnn.forward = None
    else:
        backbone.vit.forward_features = None
    assert set(backbone.forward_features(torch.randn(2, 3, 64, 64), names)) == set(names)


@pytest.mark.parametrize('name', ['cnn', 'cnn.layer3', 'patch', 'inner.-1', 'class'])
def test_features_that_exist(name):
    build().check_feature(name)


@pytest.mark.parametrize('name', ['cnn.layer9', 'inner.3', 'layer1', 'cnns'])
def test_features_that_do_not_exist(name):
    with pytest.raises(ValueError, match=r'received'):
        build().check_feature(name)


def test_attention_of_the_transformer_is_reduced_too():
    def last(_total, _index, weights):
        return weights

    backbone, image = build().eval(), torch.randn(2, 3, 64, 64)
    reduce = dict(attention=last)
    features = backbone.forward_features(image, ['attention', 'cnn'], reduce)
    expected = backbone.vit.forward_features(image, ['attention'], reduce)['attention']
    assert expected.shape == (2, 3, 17, 17)
    torch.testing.assert_close(features['attention'], expected)


def test_the_deployed_backbone_is_the_transformer():
    config = dict(cnn=RESNET, vit=VIT)
    deployed, prefixes = type(build()).deployed(config, ['patch'])
    assert deployed == dict(VIT, inner_blocks=())
    assert prefixes == {'vit.': ''}
    with pytest.raises(ValueError, match=r"transformer alone.*'cnn'"):
        type(build()).deployed(config, ['cnn', 'patch'])
