from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

WIDTHS = (4, 6, 8, 10, 12)


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='IRNHead', **kwargs))


def small(**kwargs):
    return build(in_channels=WIDTHS, edge_channels=4, channels=(8, 16, 16), radius=3, **kwargs)


def maps(sizes=((9, 7), (9, 7), (5, 4), (3, 2), (3, 2)), **kwargs):
    return [torch.randn(2, c, *size, **kwargs) for c, size in zip(WIDTHS, sizes, strict=True)]


def test_published_widths():
    head = build()
    convolutions = [m for m in head.modules() if isinstance(m, torch.nn.Conv2d)]
    shapes = [(conv.in_channels, conv.out_channels, conv.bias is not None) for conv in convolutions]
    inputs = (64, 256, 512, 1024, 2048)
    assert shapes[:6] == [*((width, 32, False) for width in inputs), (160, 1, True)]
    assert shapes[6:] == [
        *((64, 64, False), (256, 128, False), (512, 256, False)),
        *((1024, 256, False), (2048, 256, False), (768, 256, False)),
        *((448, 256, False), (256, 2, False)),
    ]
    groups = [m.num_groups for m in head.modules() if isinstance(m, torch.nn.GroupNorm)]
    assert groups == [4] * 5 + [8] + [16] * 6


def test_boundary_branch_step_by_step():
    head, inputs = small(), maps()
    levels = []
    for level, features, scale in zip(head.edge_levels, inputs, (1, 1, 2, 4, 4), strict=True):
        reduced = F.group_norm(level[0](features), 4, level[1].weight, level[1].bias)
        size = [side * scale for side in features.shape[2:]]
        large = F.interpolate(reduced, size, mode='bilinear', align_corners=False)
        levels.append(large.clamp(min=0)[..., :9, :7])
    expected = F.conv2d(torch.cat(levels, dim=1), head.edge.weight, head.edge.bias)
    assert_close(head(inputs)[0], expected)


def normalised(level, features, groups):
    return F.group_norm(level[0](features), groups, level[1].weight, level[1].bias)


def enlarged(features, scale, size):
    large = [side * scale for side in features.shape[2:]]
    features = F.interpolate(features, large, mode='bilinear', align_corners=False)
    return features.clamp(min=0)[..., : size[0], : size[1]]


def test_displacement_branch_step_by_step():
    """The three coarse maps are joined on the grid of the third, then all on that of the second."""
    head, inputs = small(), maps()
    groups = (8, 16, 16, 16, 16)
    levels = [
        normalised(*parts) for parts in zip(head.displacement_levels, inputs, groups, strict=True)
    ]
    coarse = [
        enlarged(level, scale, (5, 4)) for level, scale in zip(levels[2:], (1, 2, 2), strict=True)
    ]
    joined = normalised(head.displacement_coarse, torch.cat(coarse, dim=1), 16)
    parts = [
        enlarged(level, scale, (9, 7))
        for level, scale in zip((*levels[:2], joined), (1, 1, 2), strict=True)
    ]
    whole = normalised(head.displacement_joined, torch.cat(parts, dim=1), 16).relu()
    assert_close(head(inputs)[1], F.conv2d(whole, head.displacement.weight))


def test_gradient_reaches_every_weight_and_no_map():
    head, inputs = small(), maps(requires_grad=True)
    edge, displacement = head(inputs)
    (edge.square().sum() + displacement.square().sum()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
    assert all(features.grad is None for features in inputs)


def test_stored_mean_is_taken_away_in_evaluation():
    head, inputs = small(), maps()
    with torch.no_grad():
        trained = head(inputs)[1]
        head.store_mean([trained[:1], trained[1:]])
        assert_close(head.mean_displacement, trained.mean(dim=(0, 2, 3)))
        assert torch.equal(head(inputs)[1], trained)
        centred = head.eval()(inputs)[1]
    assert_close(centred.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-6, rtol=0)
    assert 'mean_displacement' in head.state_dict()


def test_merged_edge():
    logits = torch.tensor([2.0, -2.0, 0.0, 4.0]).view(2, 1, 1, 2)
    expected = torch.tensor([3.0, -1.0]).sigmoid().view(1, 1, 1, 2)
    assert_close(small().merged_edge(logits), expected)


def test_bad_input():
    with pytest.raises(ValueError, match='five in_channels'):
        build(in_channels=(4, 8))
    with pytest.raises(ValueError, match=r'multiples of 8, 16 and 16.*\(8, 8, 8\)'):
        build(channels=(8, 8, 8))
    with pytest.raises(ValueError, match='multiple of 4, received 6'):
        build(edge_channels=6)
    with pytest.raises(ValueError, match="received 'none'"):
        build(border='none')
    with pytest.raises(ValueError, match='five feature maps'):
        small()(maps()[:4])
    with pytest.raises(ValueError, match='as many flipped'):
        small().merged_edge(torch.zeros(3, 1, 2, 2))
    with pytest.raises(ValueError, match='at least one image'):
        small().store_mean([])
