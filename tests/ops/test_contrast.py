from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import affinity_label, class_token_contrast, patch_token_contrast

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def patches(reference):
    return reference('ptc_loss')


@pytest.fixture
def classes(reference):
    arrays = reference('ctc_loss')
    images = len(arrays['flags'])
    for key in ('student', 'teacher', 'grad_t0.5', 'grad_t1.0'):
        arrays[key] = arrays[key].unflatten(0, (-1, images)).transpose(0, 1).contiguous()
    return arrays


def test_reference_affinity_label(patches):
    assert torch.equal(affinity_label(patches['label']), patches['aff_mask'])


def test_reference_patch_token_contrast(patches):
    features = patches['feats'].requires_grad_()
    loss = patch_token_contrast(features, patches['label'])
    assert_close(loss, patches['loss'], **CLOSE)
    loss.backward()
    assert_close(features.grad, patches['grad'], **CLOSE)
    background = patch_token_contrast(features, torch.zeros_like(patches['label']))
    assert_close(background, patches['loss_all_background'], **CLOSE)


def test_everything_ignored_is_half_without_gradient(patches):
    features = patches['feats'].requires_grad_()
    loss = patch_token_contrast(features, torch.full_like(patches['label'], 255))
    assert loss.item() == 0.5
    loss.backward()
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_patch_contrast_of_zero_features_has_no_gradient():
    features = torch.zeros(1, 4, 2, 2, requires_grad=True)
    loss = patch_token_contrast(features, torch.tensor([[[0, 1], [1, 2]]]))
    loss.backward()
    assert loss == 0.5
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_patch_contrast_on_one_position():
    assert patch_token_contrast(torch.rand(1, 4, 1, 1), torch.zeros(1, 1, 1)).item() == 0.5


def test_patch_contrast_gradient():
    features = torch.randn(2, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([[[0, 1, 1], [2, 255, 0]], [[0, 0, 0], [1, 1, 255]]])
    assert torch.autograd.gradcheck(lambda x: patch_token_contrast(x, label), (features,))


@pytest.mark.parametrize('temperature', [0.5, 1.0])
def test_reference_class_token_contrast(classes, temperature):
    student = classes['student'].requires_grad_()
    loss = class_token_contrast(student, classes['teacher'], classes['flags'], temperature)
    assert_close(loss, classes[f'loss_t{temperature}'], **CLOSE)
    loss.backward()
    assert_close(student.grad, classes[f'grad_t{temperature}'], **CLOSE)


@pytest.mark.parametrize('image', [0, 1, 2])
def test_reference_class_token_contrast_by_image(classes, image):
    one = (classes[key][image : image + 1] for key in ('student', 'teacher', 'flags'))
    assert_close(class_token_contrast(*one), classes['per_image_t0.5'][image], **CLOSE)


def test_class_contrast_equals_loops(plain):
    student, teacher = torch.randn(3, 7, 5).double(), torch.randn(3, 3, 5).double()
    positive = torch.tensor([[1, 0, 1, 0, 0, 1, 1], [0] * 7, [1] * 7])
    loss = class_token_contrast(student, teacher, positive, 0.7)
    assert_close(loss, plain.class_token_contrast(student, teacher, positive, 0.7))
    assert_close(loss, class_token_contrast(student, teacher, positive.bool(), 0.7))


def test_class_contrast_does_not_overflow():
    student = (torch.ones(1, 3, 4) * 40).requires_grad_()
    loss = class_token_contrast(student, student.detach()[:, :2], torch.tensor([[1, 0, 0]]))
    loss.backward()
    # All logits are 40 * 40 * 4 / 0.5; one of the three crops is positive.
    logit = torch.tensor(12800.0)
    assert_close(loss, (math.log(3) + logit + math.log(2)) / (1 + 1e-4))
    exact = student.detach().double().requires_grad_()
    class_token_contrast(exact, exact.detach()[:, :2], torch.tensor([[1, 0, 0]])).backward()
    assert exact.grad.abs().max() > 1
    assert_close(student.grad.double(), exact.grad, rtol=1e-3, atol=1e-3)


def test_class_contrast_gradient():
    student = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([[1, 0, 1, 0], [1, 1, 1, 1]])
    assert torch.autograd.gradcheck(
        lambda s, t: class_token_contrast(s, t, positive, 0.5), (student, teacher)
    )


def test_computed_in_float32_under_autocast(patches, classes):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        patch_loss = patch_token_contrast(patches['feats'], patches['label'])
        class_loss = class_token_contrast(
            classes['student'], classes['teacher'], classes['flags'], 0.5
        )
    assert_close(patch_loss, patches['loss'], **CLOSE)
    assert_close(class_loss, classes['loss_t0.5'], **CLOSE)


def test_bad_shapes():
    with pytest.raises(ValueError, match='same grid'):
        patch_token_contrast(torch.rand(1, 4, 2, 2), torch.zeros(1, 3, 2))
    with pytest.raises(ValueError, match='student'):
        class_token_contrast(torch.rand(1, 4, 3), torch.rand(1, 2, 3), torch.ones(1, 5))
    with pytest.raises(ValueError, match='student'):
        class_token_contrast(torch.rand(1, 4, 3), torch.rand(1, 2, 5), torch.ones(1, 4))
