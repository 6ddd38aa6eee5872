from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import alpha_scores, confident_label

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.mark.parametrize('alpha', [4, 16, 32])
def test_background_matches_the_reference(reference, alpha):
    arrays = reference('psa_alpha_background')
    cam = arrays['norm_cam'].unsqueeze(0)
    scores = alpha_scores(cam, torch.ones(1, 3), alpha)
    assert_close(scores[:, :1], arrays[f'bg{alpha}'].unsqueeze(0), **CLOSE)
    assert torch.equal(scores[:, 1:], cam)


def test_label_matches_the_reference(reference):
    arrays = reference('psa_labels_loss')
    low, high = arrays['pooled'].permute(2, 0, 1).unsqueeze(0).chunk(2, dim=1)
    label = confident_label(low, high)
    assert torch.equal(label[0], arrays['composed'].long())
    assert {0, 255} < set(label.unique().tolist())


def test_absent_classes_do_not_count():
    cam = torch.tensor([0.9, 0.5]).view(1, 2, 1, 1)
    scores = alpha_scores(cam, torch.tensor([[0, 1]]), 2)
    assert scores.flatten().tolist() == [0.25, 0, 0.5]
    assert alpha_scores(cam, torch.zeros(1, 2), 2).flatten().tolist() == [1, 0, 0]


def test_classes_without_tags_change_no_label():
    cam = torch.rand(2, 4, 5, 6)
    tags = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0]])
    low, high = (alpha_scores(cam, tags, alpha) for alpha in (2, 8))
    label = confident_label(low, high)
    few = confident_label(low[:1, [0, 1, 3]], high[:1, [0, 1, 3]])
    classes = torch.tensor([0, 1, 3, *[255] * 253])
    assert torch.equal(classes[few], label[:1])
    assert label[1].unique().tolist() == [0]


def test_outside_of_the_crop_is_ignored():
    assert confident_label(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)).unique().tolist() == [
        255
    ]


def test_alpha_has_gradient():
    cam = torch.rand(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: alpha_scores(x, torch.ones(1, 2), 3), (cam,))


def test_bad_input():
    with pytest.raises(ValueError, match=r'alpha of at least 1, received 0\.5'):
        alpha_scores(torch.rand(1, 2, 2, 2), torch.ones(1, 2), 0.5)
    with pytest.raises(ValueError, match='same images and classes'):
        alpha_scores(torch.rand(1, 2, 2, 2), torch.ones(1, 3), 4)
    with pytest.raises(ValueError, match='same classes on the same grid'):
        confident_label(torch.rand(1, 2, 2, 2), torch.rand(1, 3, 2, 2))
