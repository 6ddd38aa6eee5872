from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops.students import discrepancy, ignored_consistency

CLOSE = {'atol': 1e-5, 'rtol': 0}


def test_reference_discrepancy(reference):
    arrays = reference('dupl_discrepancy')
    first, second = (arrays[f'fmap_{net}'].requires_grad_() for net in (1, 2))
    loss = discrepancy(first, second)
    loss.backward()
    assert_close(loss, arrays['sim_loss'], **CLOSE)
    assert_close(first.grad, arrays['grad_1'], **CLOSE)
    assert_close(second.grad, arrays['grad_2'], **CLOSE)


def test_the_axes_are_those_of_the_paper_and_of_the_code():
    first, second = torch.randn(2, 2, 3, 4, 5)
    tokens = F.normalize(first, dim=1), F.normalize(second, dim=1)
    expected = 2 + 2 * (tokens[0] * tokens[1]).sum(dim=1).mean()
    assert_close(discrepancy(first, second, axis='channel'), expected)
    maps = F.normalize(first.flatten(2), dim=2), F.normalize(second.flatten(2), dim=2)
    expected = 2 + 2 * (maps[0] * maps[1]).sum(dim=2).mean()
    assert_close(discrepancy(first, second), expected)


def test_each_student_gets_the_gradient_of_half_the_loss():
    first, second = torch.randn(2, 1, 2, 3, 2, dtype=torch.float64).requires_grad_()
    cosine = F.cosine_similarity(first.flatten(2), second.flatten(2), dim=2).mean()
    expected = torch.autograd.grad(cosine, (first, second))
    found = torch.autograd.grad(discrepancy(first, second), (first, second))
    assert_close(found, expected)


def test_features_of_zeros_have_a_finite_gradient():
    features, other = torch.zeros(1, 2, 3, 3, requires_grad=True), torch.rand(1, 2, 3, 3)
    discrepancy(features, other).backward()
    # The length of the zeros is taken for 1e-6; the mean is over two channels.
    direction = F.normalize(other.flatten(2), dim=2).view_as(other)
    assert_close(features.grad, direction / 1e-6 / 2)


def test_half_precision_features_are_compared_in_float32():
    first, second = torch.randn(2, 1, 4, 3, 3).bfloat16()
    assert discrepancy(first, second).dtype == torch.float32
    assert_close(discrepancy(first, second), discrepancy(first.float(), second.float()))


def test_bad_features():
    with pytest.raises(ValueError, match='same grid'):
        discrepancy(torch.rand(1, 2, 3, 3), torch.rand(1, 2, 3, 4))
    with pytest.raises(ValueError, match='axis'):
        discrepancy(torch.rand(1, 2, 3, 3), torch.rand(1, 2, 3, 3), axis='spatial')


@pytest.fixture
def views(reference):
    """Logits of both views of a student of the reference, and the other's label."""
    arrays = reference('dupl_consistency')

    def of(student, other):
        # Only the winner and whether it is confident matter of the clean view.
        winner = F.one_hot(arrays[f'winner_{student}'].long(), 6).permute(0, 3, 1, 2).float()
        clean = winner * torch.where(arrays[f'confident_{student}'].bool(), 20.0, 0.1).unsqueeze(1)
        label = arrays[f'label_{other}_filtered'].long()
        return arrays[f'segs_{student}_aug'], clean, label

    return of


@pytest.mark.parametrize(('student', 'other'), [(1, 2), (2, 1)])
def test_reference_consistency(reference, views, student, other):
    arrays = reference('dupl_consistency')
    strong, clean, label = views(student, other)
    strong.requires_grad_()
    loss = ignored_consistency(strong, clean, label)
    loss.backward()
    assert_close(loss, arrays[f'reg_loss_{student}'], **CLOSE)
    if student == 1:
        assert_close(strong.grad, arrays['grad_segs_1_aug'], **CLOSE)


def random_views(dtype=torch.float32):
    strong = torch.randn(2, 3, 4, 5, dtype=dtype)
    clean = 4 * torch.randn(2, 3, 8, 10, dtype=dtype)
    label = torch.where(torch.rand(2, 8, 10) < 0.6, 255, 1)
    return strong, clean, label


def test_plain_formulation():
    strong, clean, label = random_views()
    box = torch.tensor([[0, 8, 0, 10], [2, 6, 3, 9]])
    resized = F.interpolate(strong, (8, 10), mode='bilinear', align_corners=False)
    losses = []
    for image in range(2):
        row0, row1, col0, col1 = box[image].tolist()
        for row in range(row0, row1):
            for column in range(col0, col1):
                probability = clean[image, :, row, column].softmax(dim=0)
                if label[image, row, column] == 255 and probability.max() > 0.7:
                    prediction = resized[image, :, row, column].log_softmax(dim=0)
                    losses.append(-prediction[probability.argmax()])
    found = ignored_consistency(strong, clean, label, box=box, flipped=False, confidence=0.7)
    assert_close(found, torch.stack(losses).mean())
    mirrored = ignored_consistency(strong.flip(-1), clean, label, box=box, confidence=0.7)
    assert_close(mirrored, found)
    with_padding = ignored_consistency(strong, clean, label, flipped=False, confidence=0.7)
    assert (with_padding - found).abs() > 1e-4


def test_gradient_reaches_the_strong_view_alone():
    strong, clean, label = random_views(torch.float64)
    strong.requires_grad_()
    clean.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ignored_consistency(x, clean, label), (strong,))
    ignored_consistency(strong, clean, label).backward()
    assert clean.grad is None


def test_nothing_ignored_is_zero_with_a_gradient():
    strong, clean, label = random_views()
    strong.requires_grad_()
    loss = ignored_consistency(strong, clean, torch.ones_like(label))
    loss.backward()
    assert loss == 0
    assert strong.grad.abs().sum() == 0


def test_the_count_of_several_processes():
    strong, clean, label = random_views()
    once = ignored_consistency(strong, clean, label)
    assert_close(
        ignored_consistency(strong, clean, label, mean_count=lambda count: 2 * count), once / 2
    )


def test_clean_logits_on_a_small_grid():
    strong, clean, label = random_views()
    resized = F.interpolate(clean, (16, 20), mode='bilinear', align_corners=False)
    label = F.interpolate(label[:, None].float(), (16, 20))[:, 0].long()
    assert_close(
        ignored_consistency(strong, clean, label), ignored_consistency(strong, resized, label)
    )


def test_bad_views():
    with pytest.raises(ValueError, match='two views'):
        ignored_consistency(torch.rand(1, 3, 2, 2), torch.rand(1, 4, 2, 2), torch.ones(1, 2, 2))
