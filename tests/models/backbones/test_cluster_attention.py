from __future__ import annotations

import pytest
import torch
from timm.models.vision_transformer import Block
from torch import nn
from torch.testing import assert_close

from wsss_plugin.models.backbones import ClusterAttention
from wsss_plugin.models.backbones.class_token_block import ClassTokenBlock

CASES = ['iter3', 'iter10', 'oddgrid']
CLOSE = {'atol': 1e-5, 'rtol': 0}
OWN_NAMES = {
    'ln_pat': 'norm1',
    'qkv': 'attn.qkv',
    'proj': 'attn.proj',
    'ln_cls': 'cluster.class_norm',
    'ln_pat2': 'cluster.patch_norm',
    'ln_st': 'cluster.centre_norm',
    'proj_st': 'cluster.patch_proj',
    'qkv_stsa': 'cluster.qkv',
    'proj_cls': 'cluster.class_proj',
}


def reference_block(arrays):
    """A block of the reference whose MLP gives nothing."""
    dim, classes = arrays['x'].shape[2], int(arrays['K'])
    block = ClassTokenBlock(
        Block(dim, int(arrays['heads']), qkv_bias=True), classes, int(arrays['n_iter']), (2, 2)
    )
    weights = {'cluster.mix': arrays['sd_mix_param']}
    for theirs, own in OWN_NAMES.items():
        for part in ('weight', 'bias'):
            weights[f'{own}.{part}'] = arrays[f'sd_{theirs}.{part}']
    missing, unexpected = block.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.startswith(('norm2', 'mlp')) for name in missing)
    nn.init.zeros_(block.mlp.fc2.weight)
    nn.init.zeros_(block.mlp.fc2.bias)
    return block


@pytest.mark.parametrize('case', CASES)
def test_reference_block_with_gradients(reference, case):
    arrays = reference(f'cluster_attention_{case}')
    block = reference_block(arrays)
    tokens, grid = arrays['x'].requires_grad_(), (int(arrays['h']), int(arrays['w']))
    output, maps = block(tokens, grid, class_maps=True, patch_maps=True)
    assert_close(output, arrays['out'], **CLOSE)
    assert_close(maps.class_to_patch, arrays['c2p'], **CLOSE)
    assert_close(maps.patch_to_patch, arrays['p2p'], **CLOSE)
    gradient = torch.autograd.grad((output * arrays['gradout']).sum(), tokens, retain_graph=True)
    assert_close(gradient[0], arrays['gradx'], **CLOSE)
    if 'grad_mix_from_c2p' in arrays:
        squares = maps.class_to_patch.square().sum()
        mixed = torch.autograd.grad(squares, block.cluster.mix)
        assert_close(mixed[0], arrays['grad_mix_from_c2p'], atol=1e-5, rtol=1e-5)


def test_output_is_the_same_whatever_maps_are_wanted(reference):
    arrays = reference('cluster_attention_oddgrid')
    block, grid = reference_block(arrays), (7, 9)
    with torch.no_grad():
        plain, nothing = block(arrays['x'], grid)
        for wanted in ((True, False), (False, True), (True, True)):
            output, maps = block(arrays['x'], grid, *wanted)
            assert_close(output, plain, **CLOSE)
            assert (maps.class_to_patch is not None, maps.patch_to_patch is not None) == wanted
    assert nothing.class_to_patch is None
    assert nothing.patch_to_patch is None


def test_attention_between_patches_keeps_no_gradient():
    block = ClassTokenBlock(Block(8, 2, qkv_bias=True), num_classes=2, steps=3, cell=(2, 2))
    _, maps = block(torch.rand(1, 2 + 6, 8), (2, 3), class_maps=True, patch_maps=True)
    assert maps.class_to_patch.requires_grad
    assert not maps.patch_to_patch.requires_grad


def test_clusters_of_one_patch_give_the_attention_to_it():
    """With a cell of one patch and well separated patches a cluster is a patch."""
    attention = ClusterAttention(dim=16, num_heads=2, num_classes=2, steps=1, cell=(1, 1))
    with torch.no_grad():
        attention.patch_proj.weight.copy_(torch.eye(16))
        attention.patch_norm.weight.fill_(200.0)
        tokens = torch.cat((torch.randn(1, 2, 16), torch.eye(16)[None, :12]), dim=1)
        output, weights = attention(tokens, (3, 4))
        centres = attention.patch_norm(tokens[:, 2:])
        joined = torch.cat(
            (attention.class_norm(tokens[:, :2]), attention.centre_norm(centres)), dim=1
        )
        mha = nn.MultiheadAttention(16, 2, batch_first=True)
        mha.in_proj_weight.copy_(attention.qkv.weight)
        mha.in_proj_bias.copy_(attention.qkv.bias)
        mha.out_proj.weight.copy_(torch.eye(16))
        mha.out_proj.bias.zero_()
        attended, expected = mha(joined, joined, joined, average_attn_weights=False)
    assert_close(weights, expected[:, :, :2, 2:], **CLOSE)
    assert_close(output[:, 2:], attended[:, 2:], **CLOSE)
    assert_close(output[:, :2], attention.class_proj(attended[:, :2]), **CLOSE)


def test_starts_from_the_ordinary_attention():
    plain = Block(8, 2, qkv_bias=True)
    nn.init.normal_(plain.norm1.weight)
    cluster = ClassTokenBlock(plain, num_classes=2, steps=3, cell=(2, 2)).cluster
    assert_close(cluster.qkv.weight, plain.attn.qkv.weight)
    assert_close(cluster.class_proj.bias, plain.attn.proj.bias)
    for norm in (cluster.patch_norm, cluster.class_norm, cluster.centre_norm):
        assert_close(norm.weight, plain.norm1.weight)
    assert 0 <= cluster.mix.item() < 1
    assert cluster.qkv.weight is not plain.attn.qkv.weight


def test_every_weight_is_trained():
    attention = ClusterAttention(dim=8, num_heads=2, num_classes=3)
    output, weights = attention(torch.randn(2, 3 + 12, 8), (3, 4))
    (output.square().sum() + (attention.mix * weights).square().sum()).backward()
    for name, parameter in attention.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_clusters_need_the_grid():
    block = ClassTokenBlock(Block(8, 2), num_classes=2, steps=1, cell=(2, 2))
    with pytest.raises(ValueError, match='grid'):
        block(torch.rand(1, 8, 8))


def test_bad_settings():
    with pytest.raises(ValueError, match='multiple of num_heads'):
        ClusterAttention(dim=8, num_heads=3, num_classes=2)
    with pytest.raises(ValueError, match='step'):
        ClusterAttention(dim=8, num_heads=2, num_classes=2, steps=0)
