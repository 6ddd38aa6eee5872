from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.ops import pair_affinity


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='AffinityHead', **kwargs))


def small(**kwargs):
    return build(in_channels=(3, 5, 7), channels=(2, 3, 4), radius=3, **kwargs)


def maps(size=(5, 6), **kwargs):
    return [torch.randn(2, channels, *size, **kwargs) for channels in (3, 5, 7)]


@pytest.mark.parametrize(('channels', 'total'), [((64, 128, 256), 448), ((128, 256, 512), 896)])
def test_widths_of_code_and_paper(channels, total):
    head = build(channels=channels)
    shapes = {name: tuple(weight.shape[:2]) for name, weight in head.state_dict().items()}
    assert shapes == {
        'f8_3.weight': (channels[0], 512),
        'f8_4.weight': (channels[1], 1024),
        'f8_5.weight': (channels[2], 4096),
        'f9.weight': (total, total),
    }
    assert build().f9.weight.shape[0] == 448


def test_equals_products_of_matrices():
    head, inputs = small(), maps()
    weights = [
        head.state_dict()[f'{name}.weight'].flatten(1) for name in ('f8_3', 'f8_4', 'f8_5', 'f9')
    ]
    reduced = [
        F.elu(torch.einsum('oc,bchw->bohw', weight, features))
        for weight, features in zip(weights, inputs, strict=False)
    ]
    gathered = F.elu(torch.einsum('oc,bchw->bohw', weights[3], torch.cat(reduced, dim=1)))
    assert_close(head(inputs), gathered)
    assert_close(head.affinity(inputs), pair_affinity(gathered, 3))


def test_other_grids_are_resized_to_the_first():
    head, (first, second, third) = small(), maps()
    reduced = [F.elu(head.f8_3(first)), F.elu(head.f8_4(second))]
    coarse = F.elu(head.f8_5(third[..., :3, :3]))
    reduced.append(F.interpolate(coarse, size=(5, 6), mode='bilinear'))
    expected = F.elu(head.f9(torch.cat(reduced, dim=1)))
    assert_close(head((first, second, third[..., :3, :3])), expected)


@pytest.mark.parametrize('detach', [False, True])
def test_the_backbone_is_taught_unless_detached(detach):
    inputs = maps(requires_grad=True)
    small(detach=detach).affinity(inputs).sum().backward()
    assert [features.grad is None for features in inputs] == [detach] * 3


def test_gradient_reaches_every_weight():
    head = small()
    head.affinity(maps()).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())
    inputs = maps((3, 4), dtype=torch.float64, requires_grad=True)
    double = small().double()
    assert torch.autograd.gradcheck(lambda *x: double.affinity(x), inputs, fast_mode=True)


def test_bad_input():
    with pytest.raises(ValueError, match='as many in_channels as channels'):
        build(in_channels=(3, 5))
    with pytest.raises(ValueError, match='names in reads'):
        small(reads=('conv4', 'conv5'))
    with pytest.raises(ValueError, match="received 'none'"):
        small(border='none')
    with pytest.raises(ValueError, match='at least 2, received 1'):
        build(radius=1)
    with pytest.raises(ValueError, match='expected 3 feature maps'):
        small()(maps()[:2])
    with pytest.raises(ValueError, match='received 2x6'):
        small(border='published').affinity(maps((2, 6)))
