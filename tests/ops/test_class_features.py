from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import class_activation_map, class_features, softmax_class_loss

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    return reference('recam_head')


def second_logits(features, first, second):
    """The published forward pass: normalised CAMs, features of each class, second classifier."""
    cam = class_activation_map(features, first).relu()
    masks = cam / (cam.amax(dim=(2, 3), keepdim=True) + 1e-5)
    pooled = class_features(features, masks)
    return masks, pooled, F.linear(pooled, second.flatten(1))


def test_matches_the_reference(arrays):
    masks, pooled, logits = second_logits(arrays['feat'], arrays['fc1_w'], arrays['fc2_w'])
    assert_close(masks, arrays['cams_norm'], **CLOSE)
    assert_close(pooled, arrays['cams_feature'], **CLOSE)
    assert_close(softmax_class_loss(logits, arrays['label']), arrays['loss_sce'], **CLOSE)
    loss = softmax_class_loss(logits, arrays['label_empty0'])
    assert_close(loss, arrays['loss_sce_empty0'], **CLOSE)


def test_gradients_match_the_reference(arrays):
    names = 'feat', 'fc1_w', 'fc2_w'
    features, first, second = (arrays[name].requires_grad_() for name in names)
    *_, logits = second_logits(features, first, second)
    tagged = class_activation_map(features, first).mean(dim=(2, 3))
    loss = F.multilabel_soft_margin_loss(tagged, arrays['label'])
    loss = loss + softmax_class_loss(logits, arrays['label'])
    assert_close(loss, arrays['loss_total_w1'], **CLOSE)
    loss.backward()
    for part, name in ((features, 'grad_feat'), (first, 'grad_fc1'), (second, 'grad_fc2')):
        assert_close(part.grad, arrays[name], **CLOSE)


def test_equals_the_form_that_masks_every_feature():
    features, masks = torch.randn(2, 5, 3, 4), torch.rand(2, 6, 3, 4)
    expected = (masks.unsqueeze(2) * features.unsqueeze(1)).mean(dim=(3, 4))
    assert_close(class_features(features, masks), expected)


def test_loss_equals_loops():
    logits, tags = torch.randn(3, 4, 4), torch.tensor([[1, 0, 1, 0], [0] * 4, [1] * 4])
    expected = torch.tensor(0.0)
    for image, tag in zip(logits, tags, strict=True):
        present = tag.nonzero().flatten()
        if len(present):
            expected = expected + F.cross_entropy(image[present], present)
    assert_close(softmax_class_loss(logits, tags), expected / 3)


def test_no_tag_at_all_is_zero_without_gradient():
    logits = torch.randn(2, 3, 3, requires_grad=True)
    loss = softmax_class_loss(logits, torch.zeros(2, 3))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_gradient():
    features = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(2, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(class_features, (features, masks))
    logits = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    tags = torch.tensor([[1, 0, 1], [0, 0, 0]])
    assert torch.autograd.gradcheck(lambda x: softmax_class_loss(x, tags), (logits,))


def test_one_class_on_one_position():
    assert (
        class_features(torch.full((1, 2, 1, 1), 3.0), torch.ones(1, 1, 1, 1)).flatten().eq(3).all()
    )
    assert softmax_class_loss(torch.randn(1, 1, 1), torch.ones(1, 1)).item() == 0


def test_computed_in_float32_under_autocast(arrays):
    features, masks = arrays['feat'], arrays['cams_norm']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        pooled = class_features(features, masks)
    assert_close(pooled, arrays['cams_feature'], **CLOSE)
    assert class_features(features.bfloat16(), masks.bfloat16()).dtype == torch.float32


def test_bad_shapes():
    with pytest.raises(ValueError, match='same grid'):
        class_features(torch.rand(1, 4, 2, 2), torch.rand(1, 3, 3, 2))
    with pytest.raises(ValueError, match='same images'):
        class_features(torch.rand(1, 4, 2, 2), torch.rand(2, 3, 2, 2))
    with pytest.raises(ValueError, match='a row for the feature of each class'):
        softmax_class_loss(torch.rand(1, 4, 3), torch.ones(1, 4))
    with pytest.raises(ValueError, match=r'received \(1, 3, 3\) and \(1, 4\)'):
        softmax_class_loss(torch.rand(1, 3, 3), torch.ones(1, 4))
