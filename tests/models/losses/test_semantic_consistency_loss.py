from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.losses import SemanticConsistencyLoss


@pytest.mark.parametrize('norm', ['l1', 'l2'])
def test_value(norm):
    cam, other = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    loss = MODELS.build({'type': 'SemanticConsistencyLoss', 'norm': norm, 'loss_weight': 0.1})
    expected = F.l1_loss(cam, other) if norm == 'l1' else F.mse_loss(cam, other)
    assert_close(loss(cam, other), 0.1 * expected)
    assert loss(cam, cam).item() == 0


def test_second_cam_is_resized_to_the_first():
    cam, other = torch.rand(1, 2, 6, 4), torch.rand(1, 2, 3, 7)
    resized = F.interpolate(other, size=(6, 4), mode='bilinear', align_corners=False)
    assert_close(SemanticConsistencyLoss()(cam, other), F.l1_loss(cam, resized))


@pytest.mark.parametrize(
    ('detach', 'first', 'second'),
    [('none', True, True), ('first', False, True), ('second', True, False)],
)
def test_gradient_reaches_the_sides_that_are_not_detached(detach, first, second):
    cam = torch.rand(1, 2, 3, 3, requires_grad=True)
    other = torch.rand(1, 2, 2, 2, requires_grad=True)
    SemanticConsistencyLoss(detach=detach)(cam, other).backward()
    assert (cam.grad is not None) == first
    assert (other.grad is not None) == second


@pytest.mark.parametrize('norm', ['l1', 'l2'])
def test_gradient(norm):
    cam = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    other = torch.rand(1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(SemanticConsistencyLoss(norm), (cam, other))


def test_present_classes_only():
    cam, other = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    tags = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    loss = SemanticConsistencyLoss(present_only=True)
    assert_close(loss(cam, other, tags), (cam - other).abs()[tags.bool()].mean())


def test_no_class_present():
    cam = torch.rand(1, 2, 3, 3, requires_grad=True)
    loss = SemanticConsistencyLoss(present_only=True)(cam, cam.detach() + 1, torch.zeros(1, 2))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(cam.grad, torch.zeros_like(cam))


def test_errors():
    with pytest.raises(ValueError, match="'l1', 'l2'"):
        SemanticConsistencyLoss(norm='l3')
    with pytest.raises(ValueError, match='detach'):
        SemanticConsistencyLoss(detach='both')
    with pytest.raises(ValueError, match='same images and classes'):
        SemanticConsistencyLoss()(torch.rand(1, 2, 3, 3), torch.rand(1, 3, 3, 3))
    with pytest.raises(ValueError, match='present_only'):
        SemanticConsistencyLoss(present_only=True)(torch.rand(1, 2, 3, 3), torch.rand(1, 2, 3, 3))
