"""Blocks that are computed again in the backward pass give the same numbers."""

import pytest
import torch

from wsss_plugin.models.backbones import ClusterVisionTransformer, TimmVisionTransformer

_SMALL = dict(img_size=32, embed_dim=24, depth=3, num_heads=3)


def _plain(**options):
    return TimmVisionTransformer('vit_tiny_patch16_224', model_args=_SMALL, **options)


def _clusters(**options):
    name = 'deit_tiny_patch16_224'
    return ClusterVisionTransformer(name, num_classes=4, model_args=_SMALL, **options)


def _values(build, names, checkpointing, reduce=None):
    """Features, gradients and how often the blocks have run."""
    torch.manual_seed(0)
    vit = build(grad_checkpointing=checkpointing, frozen_stages=1).double()
    runs = []
    for block in vit.trunk.blocks:
        block.register_forward_pre_hook(lambda *_: runs.append(1))
    torch.manual_seed(1)
    image = torch.randn(2, 3, 48, 32, dtype=torch.float64)
    features = vit.forward_features(image, names, reduce)
    sum(one.square().sum() for one in features.values()).backward()
    gradients = {name: p.grad for name, p in vit.named_parameters() if p.grad is not None}
    return features, gradients, len(runs)


@pytest.mark.parametrize(
    ('build', 'names'),
    [(_plain, ('inner.1', 'patch', 'class')), (_clusters, ('patch', 'class_to_patch', 'clusters'))],
)
def test_features_and_gradients_are_the_same(build, names):
    (one, gradients, once), (two, again, twice) = (
        _values(build, names, on) for on in (False, True)
    )
    for name in names:
        torch.testing.assert_close(two[name], one[name], rtol=1e-12, atol=1e-12)
    assert set(gradients) == set(again)
    assert any(name.startswith('trunk.blocks.1') for name in gradients)
    for name, gradient in gradients.items():
        torch.testing.assert_close(again[name], gradient, rtol=1e-9, atol=1e-12)
    # Nothing is learnt before the second block.
    assert (once, twice) == (3, 5)


def test_attention_weights_are_read_as_without():
    reduce = {
        'attention': lambda before, _, weights: weights if before is None else before + weights
    }
    (one, gradients, _), (two, again, runs) = (
        _values(_plain, ('patch', 'attention'), on, reduce) for on in (False, True)
    )
    torch.testing.assert_close(two['attention'], one['attention'], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(again['trunk.norm.weight'], gradients['trunk.norm.weight'])
    assert runs == 3


def test_without_gradient_nothing_is_computed_again():
    vit = _plain(grad_checkpointing=True)
    runs = []
    vit.trunk.blocks[0].register_forward_pre_hook(lambda *_: runs.append(1))
    with torch.no_grad():
        vit(torch.randn(1, 3, 32, 32))
    assert len(runs) == 1
