from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import with_class_prior

_LOGITS = torch.linspace(-2, 3, 2 * 3 * 5 * 7, dtype=torch.float64).view(2, 3, 5, 7)


def test_probabilities_of_the_foreground_are_multiplied():
    class_logits = torch.tensor([[0.0, 2.0], [-3.0, 0.5]], dtype=torch.float64)
    factors = torch.cat((torch.ones(2, 1), class_logits.sigmoid()), dim=1)[..., None, None]
    expected = _LOGITS.softmax(1) * factors
    expected = expected / expected.sum(1, keepdim=True)
    assert_close(with_class_prior(_LOGITS, class_logits).softmax(1), expected)


def test_a_sure_class_keeps_its_logits_and_an_absent_one_never_wins():
    sure = torch.full((2, 2), 60.0, dtype=torch.float64)
    assert_close(with_class_prior(_LOGITS, sure), _LOGITS)
    assert with_class_prior(_LOGITS, -sure).argmax(1).eq(0).all()


def test_extreme_logits_neither_overflow_nor_vanish():
    extreme = torch.tensor([[-1e4, 1e4]] * 2)
    added = torch.tensor([0, -1e4, 0]).view(1, 3, 1, 1)
    assert_close(with_class_prior(_LOGITS.float(), extreme), _LOGITS.float() + added)


def test_gradient():
    inputs = (_LOGITS[:, :, :2, :1].clone(), torch.randn(2, 2, dtype=torch.float64))
    assert torch.autograd.gradcheck(with_class_prior, [x.requires_grad_() for x in inputs])


def test_one_class():
    logits = with_class_prior(_LOGITS[:, :2], torch.zeros(2, 1, dtype=torch.float64))
    assert_close(logits.diff(dim=1), _LOGITS[:, :2].diff(dim=1) - math.log(2))


@pytest.mark.parametrize('shape', [(2, 3), (1, 2), (2,), (2, 2, 1)])
def test_other_classes_or_images_are_refused(shape):
    with pytest.raises(ValueError, match=r'\(B, K \+ 1, H, W\).*received \(2, 3, 5, 7\)'):
        with_class_prior(_LOGITS, torch.zeros(shape))
