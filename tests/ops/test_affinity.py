from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import affinity_loss, affinity_pair_labels, pair_affinity, pair_offsets

CLOSE = {'atol': 1e-5, 'rtol': 0}


def test_affinity_matches_the_reference(reference):
    arrays = reference('psa_affinity_head')
    affinity = pair_affinity(arrays['f_aff'], 5, 'published')
    assert affinity.shape == arrays['aff'].shape
    assert_close(affinity, arrays['aff'], **CLOSE)


def test_labels_match_the_reference(reference):
    arrays = reference('psa_labels_loss')
    kinds = affinity_pair_labels(arrays['label'].unsqueeze(0), 5, 'published')
    for kind, name in zip(kinds, ('bg', 'fg', 'neg'), strict=True):
        assert torch.equal(kind[0], arrays[name].bool())
        assert kind.any()


def test_loss_matches_the_reference(reference):
    arrays = reference('psa_labels_loss')
    kinds = [arrays[name] for name in ('bg_b', 'fg_b', 'neg_b')]
    assert_close(affinity_loss(arrays['aff_pred'], *kinds), arrays['loss'], **CLOSE)


@pytest.mark.parametrize('border', ['complete', 'published'])
def test_affinity_equals_loops(border):
    features, label = torch.randn(2, 3, 5, 7), torch.randint(0, 3, (2, 5, 7))
    label[0, 2, 3] = 255
    affinity, kinds = pair_affinity(features, 3, border), affinity_pair_labels(label, 3, border)
    rows, columns = (range(5), range(7)) if border == 'complete' else (range(3), range(2, 5))
    for place, (row, column) in enumerate((row, column) for row in rows for column in columns):
        for number, (down, right) in enumerate(pair_offsets(3)):
            pairs = affinity[:, number, place]
            other = row + down, column + right
            if not (other[0] < 5 and 0 <= other[1] < 7):
                assert pairs.tolist() == [0, 0]
                assert not any(kind[:, number, place].any() for kind in kinds)
                continue
            distance = (
                (features[..., row, column] - features[..., other[0], other[1]]).abs().mean(dim=1)
            )
            assert_close(pairs, (-distance).exp())
            one, two = label[:, row, column], label[:, other[0], other[1]]
            valid = (one != 255) & (two != 255)
            expected = (one == two) & (one == 0), (one == two) & (one > 0), one != two
            for kind, wanted in zip(kinds, expected, strict=True):
                assert torch.equal(kind[:, number, place], wanted & valid)


@pytest.mark.parametrize('border', ['complete', 'published'])
def test_gradient(border):
    features = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0, 0, 1, 1, 255, 2]).expand(1, 4, 6)
    kinds = affinity_pair_labels(label, 3, border)

    def loss(features):
        return affinity_loss(pair_affinity(features, 3, border), *kinds)

    assert loss(features) > 0
    assert torch.autograd.gradcheck(loss, (features,))


def test_everything_ignored_is_zero_without_gradient():
    features = torch.randn(1, 2, 4, 6, requires_grad=True)
    kinds = affinity_pair_labels(torch.full((1, 4, 6), 255), 3)
    loss = affinity_loss(pair_affinity(features, 3), *kinds)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(features.grad, torch.zeros_like(features))


def test_equal_features_have_affinity_one():
    affinity = pair_affinity(torch.full((1, 2, 3, 3), 0.7), 2)
    assert affinity.unique().tolist() == [0, 1]
    different = torch.ones_like(affinity)
    loss = affinity_loss(affinity, 0 * different, 0 * different, different)
    assert_close(loss, -math.log(1e-5) * affinity.mean() / 2, rtol=1e-2, atol=0)


def test_loss_of_one_kind_is_that_mean():
    affinity = torch.tensor([[[0.3, 0.6]]])
    one, none = torch.ones(1, 1, 2), torch.zeros(1, 1, 2)
    assert_close(
        affinity_loss(affinity, none, one, none), -affinity.log().mean() / 4, atol=1e-4, rtol=0
    )
    assert_close(
        affinity_loss(affinity, none, none, one),
        -(1 - affinity).log().mean() / 2,
        atol=1e-4,
        rtol=0,
    )


def test_counts_of_several_processes():
    affinity, one, none = torch.full((1, 1, 2), 0.5), torch.ones(1, 1, 2), torch.zeros(1, 1, 2)
    alone = affinity_loss(affinity, one, one, none)
    shared = affinity_loss(affinity, one, one, none, mean_count=lambda count: 2 * count)
    assert_close(shared, alone / 2, **CLOSE)


def test_computed_in_float32_from_half_precision():
    features = torch.randn(1, 8, 4, 6)
    affinity = pair_affinity(features.bfloat16(), 3)
    assert affinity.dtype == torch.float32
    assert_close(affinity, pair_affinity(features.bfloat16().float(), 3))


def test_bad_input():
    with pytest.raises(ValueError, match=r'features \(B, C, h, w\)'):
        pair_affinity(torch.rand(4, 6), 3)
    with pytest.raises(ValueError, match=r'label map \(B, h, w\)'):
        affinity_pair_labels(torch.zeros(4, 6), 3)
    with pytest.raises(ValueError, match='received 4x6'):
        pair_affinity(torch.rand(1, 2, 4, 6), 5, 'published')
    with pytest.raises(ValueError, match='same radius and border'):
        affinity_loss(torch.rand(1, 4, 6), *[torch.ones(1, 4, 5)] * 3)
