from __future__ import annotations

import copy

import pytest
import timm
import torch
from class_token_networks import MEAN, STD, cluster_network, mctformer_network
from torch.testing import assert_close

from wsss_plugin.models.backbones import ClusterVisionTransformer

TINY = dict(depth=3, embed_dim=24, num_heads=3)
CLOSE = {'atol': 1e-5, 'rtol': 0}


def tiny(num_classes=4, **kwargs):
    kwargs.setdefault('model_args', TINY)
    return ClusterVisionTransformer('deit_tiny_patch16_224', num_classes, **kwargs)


def relative(got, expected, tolerance=1e-5):
    assert_close(got, expected, atol=tolerance * expected.abs().max().item(), rtol=0)


def wave(*shape):
    return (0.05 * torch.arange(torch.Size(shape).numel(), dtype=torch.float64)).sin().view(shape)


@pytest.mark.parametrize(('case', 'shape'), [('sq', (2, 3, 64, 64)), ('rect', (1, 3, 80, 96))])
def test_reference_cluster_network(reference, case, shape):
    arrays = {k.removeprefix(f'{case}_'): v for k, v in reference('cluster_network').items()}
    backbone, image = cluster_network().backbone, wave(*shape).float()
    names = ('class_tokens', 'patch', 'class_to_patch', 'class_to_patch.mean')
    with torch.no_grad():
        features = backbone.forward_features(image, names)
    assert_close(features['class_tokens'].mean(dim=2), arrays['cls'], **CLOSE)
    joined = torch.cat((features['patch'], features['class_to_patch']), dim=1)
    assert_close(joined, arrays['x_patch_cat'], **CLOSE)
    assert_close(features['class_to_patch.mean'], arrays['mtatt'], **CLOSE)


def normalised(image):
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (MEAN, STD))
    return (image.float() - mean) / std


@pytest.mark.parametrize('case', ['sq', 'rect', 'odd'])
def test_reference_plain_network(reference, case):
    arrays = reference('mctformer_v2')
    backbone = mctformer_network().backbone
    image = normalised(arrays[f'{case}.image_u8'])
    with torch.no_grad():
        features = backbone.forward_features(image, ('class_tokens', 'patch_to_patch'))
    relative(features['class_tokens'].mean(dim=2), arrays[f'{case}.logits'])
    relative(features['patch_to_patch'], arrays[f'{case}.patch_attn_sum'])


def test_the_mean_can_be_summed_otherwise(reference):
    arrays = reference('mctformer_v2')
    backbone, image = mctformer_network().backbone, normalised(arrays['sq.image_u8'])
    name = 'class_to_patch.mean'
    seen = []

    def add(before, index, value):
        seen.append(index)
        return value if before is None else before + value

    with torch.no_grad():
        last = backbone.forward_features(image, [name])[name]
        whole = backbone.forward_features(image, [name], reduce={name: add})[name]
    relative(last, arrays['sq.att_mct'])
    assert seen == [0, 1, 2, 3, 4]
    heads = backbone.forward_features(image, ['class_to_patch'])['class_to_patch']
    expected = heads.unflatten(1, (5, 3, 5)).mean(dim=2).sum(dim=1)
    assert_close(whole, expected, **CLOSE)


def test_gradient_is_that_of_the_reference(reference):
    arrays = reference('mctformer_v2')
    model = mctformer_network()
    image, target = normalised(arrays['train.image_u8']), arrays['train.target']
    features = model.backbone.forward_features(image, ('class_tokens', 'patch'))
    logits = features['class_tokens'].mean(dim=2)
    patch = model.cams['final'].logits(features)
    relative(logits, arrays['train.cls_logits'])
    relative(patch, arrays['train.patch_logits'])
    loss = sum(torch.nn.functional.multilabel_soft_margin_loss(x, target) for x in (logits, patch))
    loss.backward()
    assert_close(loss, arrays['train.loss'], **CLOSE)
    trunk = model.backbone.trunk
    found = {
        'cls_token': trunk.cls_token,
        'pos_embed': trunk.pos_embed,
        'blocks.0.attn.qkv.bias': trunk.blocks[0].attn.qkv.bias,
        'blocks.2.norm1.weight': trunk.blocks[2].norm1.weight,
        'blocks.4.mlp.fc2.bias': trunk.blocks[4].mlp.fc2.bias,
        'head.bias': model.cams['final'].classifier.bias,
    }
    for name, parameter in found.items():
        relative(parameter.grad, arrays[f'train.grad.{name}'], tolerance=2e-5)


def test_reference_start_from_one_class_token(reference, tmp_path):
    arrays = reference('class_token_mapping')
    plain = timm.create_model(
        'vit_tiny_patch16_224', img_size=64, embed_dim=6, depth=1, num_heads=1, num_classes=7
    )
    weights = plain.state_dict()
    weights['cls_token'] = arrays['checkpoint.cls_token']
    weights['pos_embed'] = arrays['checkpoint16.pos_embed']
    path = tmp_path / 'weights.pth'
    torch.save(weights, path)
    vit = ClusterVisionTransformer(
        'vit_tiny_patch16_224',
        num_classes=5,
        pretrained=str(path),
        model_args=dict(img_size=64, embed_dim=6, depth=1, num_heads=1),
    )
    vit.init_weights()
    assert_close(vit.trunk.cls_token.detach(), arrays['weaktr16.cls_token'], **CLOSE)
    assert_close(vit.trunk.pos_embed.detach(), arrays['weaktr16.pos_embed'], **CLOSE)
    block = vit.trunk.blocks[0]
    expected = weights['blocks.0.attn.qkv.weight']
    assert_close(block.attn.qkv.weight.detach(), expected)
    assert_close(block.cluster.qkv.weight.detach(), expected)


def test_a_file_without_all_weights_is_refused(tmp_path):
    weights = timm.create_model('deit_tiny_patch16_224', **TINY).state_dict()
    del weights['blocks.1.attn.proj.bias']
    path = tmp_path / 'weights.pth'
    torch.save(weights, path)
    with pytest.raises(ValueError, match=r'blocks\.1\.attn\.proj\.bias'):
        tiny(pretrained=str(path)).init_weights()


@pytest.mark.parametrize('steps', [0, 3])
def test_without_training_all_class_tokens_are_alike(steps):
    vit = tiny(steps=steps).eval()
    tokens = vit.forward_features(torch.randn(1, 3, 64, 48), ['class_tokens'])['class_tokens']
    assert tokens.shape == (1, 4, 24)
    assert_close(tokens, tokens[:, :1].expand(-1, 4, -1), **CLOSE)


@pytest.mark.parametrize('size', [(33, 50), (16, 16), (64, 31), (224, 224)])
@pytest.mark.parametrize('steps', [0, 2])
def test_any_input_size_gives_the_floored_grid(size, steps):
    names = ('patch', 'class_to_patch', 'class_to_patch.mean', 'patch_to_patch', 'inner.-2')
    features = tiny(steps=steps).forward_features(torch.zeros(2, 3, *size), names)
    grid = size[0] // 16, size[1] // 16
    count = grid[0] * grid[1]
    shapes = [(2, 24, *grid), (2, 36, *grid), (2, 4, *grid), (2, count, count), (2, 24, *grid)]
    assert [value.shape for value in features.values()] == shapes


def test_clusters_are_those_of_the_last_block():
    vit, image = tiny(steps=2).eval(), torch.randn(2, 3, 64, 80)
    with torch.no_grad():
        features = vit.forward_features(image, ['clusters', 'patch'])
        tokens, grid = vit.embed(image)
        for index in range(2):
            tokens = vit.run_block(index, tokens, grid)
        assignment, _ = vit.trunk.blocks[2].cluster.clusters(tokens, grid)
    assert features['clusters'].shape == (2, 4, 4, 5)
    assert_close(features['clusters'].flatten(2), assignment.transpose(1, 2))
    with pytest.raises(ValueError, match=r"received 'clusters'"):
        tiny(steps=0).forward_features(image, ['clusters'])


def test_features_do_not_depend_on_what_else_is_asked_for():
    vit, image = tiny().eval(), torch.randn(1, 3, 48, 64)
    names = ('patch', 'class_tokens', 'class_to_patch', 'class_to_patch.mean', 'patch_to_patch')
    together = vit.forward_features(image, names)
    for name in names:
        assert_close(vit.forward_features(image, [name])[name], together[name], **CLOSE)


def test_no_attention_is_written_out_for_logits(monkeypatch):
    calls = []
    original = torch.Tensor.softmax
    monkeypatch.setattr(
        torch.Tensor, 'softmax', lambda self, *a, **k: calls.append(1) or original(self, *a, **k)
    )
    vit = tiny(steps=0)
    vit.forward_features(torch.rand(1, 3, 32, 32), ['class_tokens', 'patch'])
    assert not calls
    vit.forward_features(torch.rand(1, 3, 32, 32), ['class_to_patch'])
    assert len(calls) == 3


def test_one_block_alone_and_the_outputs():
    vit = tiny(outputs=('patch', 'class_to_patch')).eval()
    image = torch.randn(1, 3, 32, 48)
    tokens, grid = vit.embed(image)
    for index in range(3):
        tokens = vit.run_block(index, tokens, grid)
    patch, maps = vit(image)
    assert_close(tokens[:, 4:].transpose(1, 2).unflatten(2, grid), patch)
    assert maps.shape == (1, 36, 2, 3)


def test_deployed_config_gives_what_the_decode_head_reads():
    config = dict(
        type='ClusterVisionTransformer',
        model_name='deit_tiny_patch16_224',
        num_classes=4,
        pretrained=True,
        model_args=TINY,
    )
    reads = ('patch', 'class_to_patch')
    deployed, prefixes = ClusterVisionTransformer.deployed(config, reads)
    assert prefixes == {'': ''}
    deployed.pop('type')
    vit = ClusterVisionTransformer(**deployed)
    assert vit.outputs == reads
    assert vit.pretrained is False


def test_frozen_stages_freeze_the_clusters_too():
    vit = tiny(frozen_stages=1)
    assert not any(p.requires_grad for p in vit.trunk.blocks[0].parameters())
    assert all(p.requires_grad for p in vit.trunk.blocks[1].parameters())
    assert tiny().trunk.pos_embed.requires_grad
    assert not tiny(freeze_position_embedding=True).trunk.pos_embed.requires_grad


def test_every_parameter_is_trained():
    vit = tiny(num_classes=2)
    image = torch.randn(2, 3, 48, 48)
    features = vit.forward_features(image, ('class_tokens', 'patch', 'class_to_patch'))
    sum(value.square().sum() for value in features.values()).backward()
    assert [name for name, p in vit.named_parameters() if p.grad is None] == []


def test_a_copy_gives_the_same():
    vit, image = tiny().eval(), torch.randn(1, 3, 32, 32)
    copied = copy.deepcopy(vit)
    assert_close(copied(image), vit(image))
    fresh = tiny().eval()
    fresh.load_state_dict(vit.state_dict())
    assert_close(fresh(image), vit(image))


def test_many_classes():
    vit = tiny(num_classes=1000, steps=1, model_args=dict(depth=1, embed_dim=24, num_heads=3))
    features = vit.forward_features(torch.rand(1, 3, 32, 32), ('class_tokens', 'class_to_patch'))
    assert features['class_to_patch'].shape == (1, 3000, 2, 2)
    # All class tokens begin alike.
    first = features['class_tokens'][:, :1]
    assert_close(features['class_tokens'], first.expand(-1, 1000, -1), **CLOSE)


@pytest.mark.parametrize(
    'name', ['vit_small_patch14_reg4_dinov2', 'deit_tiny_distilled_patch16_224']
)
def test_models_with_other_tokens_are_refused(name):
    with pytest.raises(TypeError, match='one class token'):
        ClusterVisionTransformer(name, 3, model_args=dict(depth=1, embed_dim=24, num_heads=3))


def test_bad_settings():
    with pytest.raises(ValueError, match='num_classes'):
        tiny(num_classes=0)
    with pytest.raises(ValueError, match='class_to_patch'):
        tiny().check_feature('class')
    with pytest.raises(ValueError, match='expected a feature'):
        tiny(outputs=('attention',))
    with pytest.raises(ValueError, match='inner_blocks'):
        tiny().check_feature('inner.7')
    with pytest.raises(ValueError, match='at least one patch'):
        tiny()(torch.rand(1, 3, 8, 32))
