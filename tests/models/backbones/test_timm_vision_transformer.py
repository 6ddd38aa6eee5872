from __future__ import annotations

import pytest
import timm
import torch

from wsss_plugin.models.backbones import TimmVisionTransformer

TINY = dict(depth=3, embed_dim=24, num_heads=3)


def tiny(**kwargs) -> TimmVisionTransformer:
    return TimmVisionTransformer('vit_tiny_patch16_224', model_args=TINY, **kwargs)


def test_matches_the_reference_network(reference, tiny_transformer):
    arrays = reference('tiny_toco_network')
    vit = tiny_transformer(arrays).eval()
    tokens, _ = vit.embed(arrays['x'])
    torch.testing.assert_close(tokens, arrays['tokens_after_pos_embed'], atol=1e-5, rtol=0)
    features = vit.forward_features(arrays['x'], ['class', 'patch', 'inner.-3'])
    torch.testing.assert_close(features['class'], arrays['cls_token'], atol=1e-5, rtol=0)
    final = features['patch'].flatten(2).transpose(1, 2)
    torch.testing.assert_close(final, arrays['patch_tokens_final'], atol=1e-5, rtol=0)
    inner = features['inner.-3'].flatten(2).transpose(1, 2)
    torch.testing.assert_close(inner, arrays['patch_tokens_aux'], atol=1e-5, rtol=0)


def test_equals_timm_at_its_own_size():
    vit = tiny().eval()
    image = torch.randn(1, 3, 224, 224)
    expected = vit.trunk.forward_features(image)
    features = vit.forward_features(image, ['class', 'patch'])
    torch.testing.assert_close(features['class'], expected[:, 0])
    torch.testing.assert_close(features['patch'].flatten(2), expected[:, 1:].transpose(1, 2))


@pytest.mark.parametrize(
    'name',
    [
        'vit_small_patch14_dinov2',
        'vit_small_patch14_reg4_dinov2',
        'vit_base_patch16_clip_224',
        'deit_tiny_patch16_224',
        'deit3_small_patch16_224',
        'deit_tiny_distilled_patch16_224',
    ],
)
def test_families_of_weights_share_the_class(name):
    side = 56 if 'patch14' in name else 48
    args = dict(depth=2, embed_dim=48, num_heads=3, img_size=side)
    vit = TimmVisionTransformer(name, inner_blocks=(0,), model_args=args).eval()
    image = torch.randn(1, 3, side, side)
    expected = vit.trunk.forward_features(image)
    features = vit.forward_features(image, ['class', 'patch'])
    torch.testing.assert_close(features['class'], expected[:, 0])
    final = features['patch'].flatten(2).transpose(1, 2)
    torch.testing.assert_close(final, expected[:, vit.trunk.num_prefix_tokens :])


@pytest.mark.parametrize('size', [(33, 50), (16, 16), (64, 31)])
def test_any_input_size_gives_the_floored_grid(size):
    maps = tiny(inner_blocks=(0, -1))(torch.zeros(2, 3, *size))
    assert len(maps) == 3
    assert all(level.shape == (2, 24, size[0] // 16, size[1] // 16) for level in maps)


def test_a_trailing_strip_is_not_seen():
    vit = tiny().eval()
    image = torch.randn(1, 3, 40, 47)
    torch.testing.assert_close(vit(image)[-1], vit(image[..., :32, :32])[-1])


def test_an_inner_last_block_is_not_normalised():
    inner, final = tiny(inner_blocks=(-1,)).eval()(torch.randn(1, 3, 32, 32))
    assert not torch.allclose(inner, final)


def test_gradient_reaches_the_patch_embedding_but_not_the_position_embedding():
    vit = tiny()
    vit(torch.randn(1, 3, 48, 32))[-1].square().sum().backward()
    assert vit.trunk.patch_embed.proj.weight.grad.abs().sum() > 0
    assert vit.trunk.cls_token.grad.abs().sum() > 0
    assert vit.trunk.pos_embed.grad is None


@pytest.mark.parametrize(
    ('frozen', 'trained'), [(-1, {0, 1, 2}), (0, {0, 1, 2}), (2, {2}), (3, set())]
)
def test_freezing(frozen, trained):
    trunk = tiny(frozen_stages=frozen).trunk
    assert trunk.patch_embed.proj.weight.requires_grad == (frozen == -1)
    got = {i for i, b in enumerate(trunk.blocks) if all(p.requires_grad for p in b.parameters())}
    assert got == trained
    assert trunk.norm.weight.requires_grad == (frozen < 3)


def test_position_embedding_can_be_trained():
    assert tiny(freeze_position_embedding=False).trunk.pos_embed.requires_grad


def test_init_weights_keeps_timms_initialisation():
    vit = tiny()
    before = vit.trunk.pos_embed.clone()
    vit.init_weights()
    torch.testing.assert_close(vit.trunk.pos_embed, before)


def test_local_weights_are_loaded_and_resized(tmp_path):
    source = timm.create_model('vit_tiny_patch16_224', **TINY, num_classes=7)
    path = tmp_path / 'weights.pth'
    torch.save({'model': {k: v.half() for k, v in source.state_dict().items()}}, path)
    vit = tiny(pretrained=str(path))
    vit.init_weights()
    expected = source.blocks[0].attn.qkv.weight.half().float()
    torch.testing.assert_close(vit.trunk.blocks[0].attn.qkv.weight.detach(), expected.detach())
    small = TimmVisionTransformer(
        'vit_tiny_patch16_224', pretrained=str(path), model_args=dict(TINY, img_size=96)
    )
    small.init_weights()
    assert small.trunk.pos_embed.shape == (1, 37, 24)


@pytest.mark.parametrize('wrong', ['prefix', 'shallow', 'other network'])
def test_a_file_without_the_models_weights_is_named(tmp_path, wrong):
    state = {
        'prefix': {f'backbone.{key}': value for key, value in tiny().trunk.state_dict().items()},
        'shallow': timm.create_model('vit_tiny_patch16_224', **dict(TINY, depth=2)).state_dict(),
        'other network': timm.create_model('resnet18').state_dict(),
    }[wrong]
    path = tmp_path / 'weights.pth'
    torch.save({'state_dict': state}, path)
    with pytest.raises(ValueError, match=r'weights\.pth.*backbone\.pretrained.*Pretrained'):
        tiny(pretrained=str(path)).init_weights()


def test_mmengine_checkpoint_is_loaded(tmp_path):
    source = tiny()
    path = tmp_path / 'checkpoint.pth'
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    torch.save({'state_dict': state}, path)
    vit = tiny(init_cfg=dict(type='Pretrained', checkpoint=str(path), prefix='backbone.'))
    vit.init_weights()
    torch.testing.assert_close(vit.trunk.pos_embed, source.trunk.pos_embed)


def test_a_missing_file_of_weights_is_named():
    vit = tiny(pretrained='no/such/weights.pth')
    with pytest.raises(FileNotFoundError, match=r'no/such/weights\.pth.*False'):
        vit.init_weights()


def test_the_home_folder_in_a_path_of_weights(tmp_path, monkeypatch):
    source = tiny()
    torch.save(source.trunk.state_dict(), tmp_path / 'weights.pth')
    monkeypatch.setenv('HOME', str(tmp_path))
    vit = tiny(pretrained='~/weights.pth')
    vit.init_weights()
    torch.testing.assert_close(vit.trunk.pos_embed, source.trunk.pos_embed)


@pytest.mark.parametrize('index', [3, -4])
def test_a_block_out_of_range_is_named(index):
    with pytest.raises(ValueError, match=f'inner_blocks.*received {index}'):
        tiny(inner_blocks=(index,))


def test_frozen_parts_do_not_drop_paths():
    args = dict(TINY, drop_path_rate=0.9, proj_drop_rate=0.5)
    vit = TimmVisionTransformer('vit_tiny_patch16_224', frozen_stages=2, model_args=args).train()
    assert [block.training for block in vit.trunk.blocks] == [False, False, True]
    assert vit.eval().training is False
    assert not any(block.training for block in vit.trunk.blocks)


def test_dropped_patches_are_refused():
    with pytest.raises(ValueError, match=r'patch_drop_rate.*received 0\.25'):
        TimmVisionTransformer('vit_tiny_patch16_224', model_args=dict(TINY, patch_drop_rate=0.25))


def test_frozen_stages_out_of_range():
    with pytest.raises(ValueError, match='frozen_stages between -1 and 3, received 4'):
        tiny(frozen_stages=4)


@pytest.mark.parametrize('name', ['resnet18', 'vit_tiny_r_s16_p8_224'])
def test_other_architectures_are_refused(name):
    with pytest.raises(TypeError, match=f'VisionTransformer.*{name}'):
        TimmVisionTransformer(name)


def test_an_image_smaller_than_a_patch_is_refused():
    with pytest.raises(ValueError, match='at least one patch'):
        tiny()(torch.zeros(1, 3, 8, 32))


def test_only_the_blocks_that_a_feature_needs_are_run():
    vit = tiny().eval()
    image = torch.randn(1, 3, 32, 32)
    expected = vit.forward_features(image, ['inner.-2', 'patch'])
    vit.trunk.blocks[2].forward = vit.trunk.norm.forward = None
    features = vit.forward_features(image, ['inner.1', 'inner.-2'])
    assert list(features) == ['inner.1', 'inner.-2']
    torch.testing.assert_close(features['inner.1'], expected['inner.-2'])
    torch.testing.assert_close(features['inner.-2'], expected['inner.-2'])


def test_attention_is_summed_as_the_blocks_run():
    vit = tiny().eval()
    image = torch.randn(2, 3, 32, 48)
    seen = []

    def reduce(total, index, weights):
        seen.append(index)
        mean = weights.mean(dim=1)
        return mean if total is None else total + mean

    features = vit.forward_features(image, ['attention', 'patch'], dict(attention=reduce))
    assert seen == [0, 1, 2]
    assert features['attention'].shape == (2, 7, 7)
    torch.testing.assert_close(features['attention'].sum(dim=2), torch.full((2, 7), 3.0))
    plain = vit.forward_features(image, ['patch'])['patch']
    torch.testing.assert_close(features['patch'], plain, atol=1e-5, rtol=1e-5)
    assert all(block.attn.fused_attn for block in vit.trunk.blocks)
    assert not any(block.attn.attn_drop._forward_pre_hooks for block in vit.trunk.blocks)


def test_attention_needs_a_reduction():
    with pytest.raises(ValueError, match=r"reduction of 'attention'.*reduce=dict"):
        tiny().forward_features(torch.randn(1, 3, 32, 32), ['attention'])


@pytest.mark.parametrize('name', ['inner.3', 'inner.-4', 'inner.x', 'cnn', 'tokens'])
def test_unknown_features_are_refused(name):
    with pytest.raises(ValueError, match=r'expected (a feature|inner_blocks).*received'):
        tiny().check_feature(name)


def test_a_block_is_run_by_its_index():
    vit = tiny().eval()
    tokens, _ = vit.embed(torch.randn(1, 3, 32, 32))
    torch.testing.assert_close(vit.run_block(1, tokens), vit.trunk.blocks[1](tokens))


def test_all_tokens_of_a_block_from_which_one_can_go_on():
    vit = tiny().eval()
    image = torch.randn(2, 3, 32, 48)
    features = vit.forward_features(image, ['tokens.-2', 'inner.1', 'patch'])
    tokens = features['tokens.-2']
    assert tokens.shape == (2, 7, 24)
    patches = tokens[:, 1:].transpose(1, 2).unflatten(2, (2, 3))
    torch.testing.assert_close(patches, features['inner.1'])
    final = vit.trunk.norm(vit.run_block(2, tokens))[:, 1:].transpose(1, 2)
    torch.testing.assert_close(final.unflatten(2, (2, 3)), features['patch'])


def test_the_deployed_backbone_returns_what_the_decode_head_reads():
    config = dict(model_name='vit_tiny_patch16_224', pretrained=True, model_args=TINY, init_cfg={})
    deployed, prefixes = TimmVisionTransformer.deployed(config, ['inner.1', 'patch'])
    assert deployed == dict(model_name='vit_tiny_patch16_224', model_args=TINY, inner_blocks=(1,))
    assert prefixes == {'': ''}
    vit = TimmVisionTransformer(**deployed).eval()
    image = torch.randn(1, 3, 32, 32)
    expected = vit.forward_features(image, ['inner.1', 'patch'])
    torch.testing.assert_close(vit(image), tuple(expected.values()))


@pytest.mark.parametrize('reads', [['patch', 'inner.1'], ['class', 'patch'], ['inner.1']])
def test_what_no_deployed_backbone_returns(reads):
    with pytest.raises(ValueError, match=r"'inner\.<block>' and then 'patch'.*received"):
        TimmVisionTransformer.deployed(dict(model_name='vit_tiny_patch16_224'), reads)
