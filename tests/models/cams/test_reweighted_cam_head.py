from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.cams import CAMHead

CLOSE = {'atol': 1e-5, 'rtol': 0}


def build(channels=3, classes=4, **kwargs):
    init_default_scope('mmseg')
    sizes = dict(in_channels=channels, num_classes=classes)
    return MODELS.build(dict(type='ReweightedCAMHead', **sizes, **kwargs))


def reference_heads(arrays, **kwargs):
    """First and second classifier of the reference, and the pass in which they stand."""
    first, second = CAMHead(64, 20, pooling='avg'), build(64, 20, **kwargs)
    first.classifier.load_state_dict({'weight': arrays['fc1_w']})
    second.classifier.load_state_dict({'weight': arrays['fc2_w']})
    return first, second, SimpleNamespace(source={'base': first}.__getitem__)


@pytest.mark.parametrize(
    ('weights', 'name'),
    [('first', 'inf_cam'), ('second', 'inf_forward1'), ('product', 'inf_forward2')],
)
def test_cams_match_the_reference(reference, weights, name):
    arrays = reference('recam_head')
    _, head, context = reference_heads(arrays, weights=weights)
    cam = head.raw({'patch': arrays['feat'][:2]}, None, context).relu()
    assert_close(cam[0] + cam[1].flip(-1), arrays[name], **CLOSE)


def test_class_logits_match_the_reference(reference):
    arrays = reference('recam_head')
    first, head, _ = reference_heads(arrays)
    features = {'patch': arrays['feat']}
    logits = head.class_logits(features, first.raw(features))
    assert_close(logits, arrays['cams_feature'] @ arrays['fc2_w'].flatten(1).T, **CLOSE)


def test_without_masks_every_class_has_the_mean_feature():
    head, features = build(masked=False), {'patch': torch.randn(2, 3, 4, 5)}
    logits = head.class_logits(features, torch.randn(2, 4, 4, 5))
    expected = head.classifier(features['patch'].mean(dim=(2, 3), keepdim=True)).flatten(1)
    assert_close(logits, expected.unsqueeze(1).expand(-1, 4, -1))


def test_several_features_side_by_side():
    head = build(channels=5, reads=('one', 'two'))
    features = dict(one=torch.randn(1, 2, 3, 3), two=torch.randn(1, 3, 3, 3))
    cam, joined = torch.rand(1, 4, 3, 3), torch.cat(tuple(features.values()), dim=1)
    one = build(channels=5)
    one.load_state_dict(head.state_dict())
    assert_close(head.class_logits(features, cam), one.class_logits({'patch': joined}, cam))


def test_gradient_reaches_features_cam_and_classifier():
    head = build(2, 3).double()
    features = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    cam = torch.randn(2, 3, 3, 2, dtype=torch.float64, requires_grad=True)
    weight = head.classifier.weight

    def logits(features, cam, _weight):
        return head.class_logits({'patch': features}, cam)

    assert torch.autograd.gradcheck(logits, (features, cam, weight))


def test_empty_cam_is_finite():
    head, cam = build(), torch.full((1, 4, 2, 2), -1.0, requires_grad=True)
    logits = head.class_logits({'patch': torch.randn(1, 3, 2, 2)}, cam)
    logits.sum().backward()
    assert torch.equal(logits, torch.zeros_like(logits))
    assert torch.equal(cam.grad, torch.zeros_like(cam))


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"'product'.* received 'sum'"):
        build(weights='sum')
    with pytest.raises(ValueError, match='at least one foreground class'):
        build(classes=0)
