"""The terms between two students, on fixed maps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.models.terms import (
    CrossSegmentationTerm,
    DiscrepancyTerm,
    IgnoredConsistencyTerm,
    StudentBatches,
)
from wsss_plugin.ops import ViewGeometry, discrepancy, ignored_consistency


class FakeBatch:
    """What a student sees, from fixed maps."""

    def __init__(self, seed, geometry=None):
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape):
            return torch.randn(shape, generator=generator)

        self.image = torch.zeros(2, 3, 16, 16)
        self.features = {'patch': draw(2, 5, 4, 4).requires_grad_()}
        self.main = SimpleNamespace(
            decode_logits=(4 * draw(2, 4, 4, 4)).requires_grad_(),
            features=lambda names: {name: self.features[name] for name in names},
        )
        self.strong = SimpleNamespace(decode_logits=draw(2, 4, 3, 3).requires_grad_())
        self.labelled = torch.randint(0, 4, (2, 16, 16), generator=generator)
        self.labelled[torch.rand(2, 16, 16, generator=generator) < 0.5] = 255
        self.decode_head = SimpleNamespace(ignore_index=255, align_corners=False)
        self.box = torch.tensor([[0, 16, 0, 16], [0, 16, 0, 10]])
        frame = ViewGeometry.of_frame((16, 16))
        self.one_geometry = geometry or frame.part((0, 16, 0, 16), flip=True, size=(12, 12))

    def label(self, name):
        assert name == 'pixel'
        return self.labelled

    def view(self, name):
        assert name == 'strong'
        return self.strong

    def geometry(self, name):
        assert name == 'strong'
        return [self.one_geometry] * 2


@pytest.fixture
def batches():
    return StudentBatches(FakeBatch(1), FakeBatch(2))


def balanced(logits, label):
    logits = F.interpolate(logits, label.shape[-2:], mode='bilinear', align_corners=False)
    pixels = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    parts = pixels[label == 0], pixels[(label != 0) & (label != 255)]
    return 0.5 * parts[0].mean() + 0.5 * parts[1].mean()


def test_each_student_learns_the_label_of_the_other(batches):
    losses = CrossSegmentationTerm(labels='pixel', weight=0.2)(batches)
    first, second = batches
    expected = balanced(first.main.decode_logits, second.labelled)
    assert_close(losses['loss_seg_first'], 0.2 * expected)
    expected = balanced(second.main.decode_logits, first.labelled)
    assert_close(losses['loss_seg_second'], 0.2 * expected)
    share = torch.stack([batch.labelled != 255 for batch in batches]).float().mean()
    assert_close(losses['supervised_fraction'], share)
    needs = CrossSegmentationTerm(labels='pixel').needs()
    assert needs.labels == ('pixel',)
    assert needs.decoder


@pytest.mark.parametrize('axis', ['position', 'channel'])
def test_discrepancy_of_the_features(batches, axis):
    losses = DiscrepancyTerm(axis=axis, weight=0.1)(batches)
    expected = discrepancy(*(batch.features['patch'] for batch in batches), axis=axis)
    assert_close(losses, {'loss_discrepancy': 0.1 * expected})
    losses['loss_discrepancy'].backward()
    assert all(batch.features['patch'].grad.abs().sum() > 0 for batch in batches)


@pytest.mark.parametrize('with_padding', [True, False])
def test_consistency_on_the_pixels_that_the_other_label_leaves_out(batches, with_padding):
    term = IgnoredConsistencyTerm(
        labels='pixel', confidence=0.5, with_padding=with_padding, weight=0.05
    )
    losses = term(batches)
    for name, own, other in batches.pairs():
        expected = ignored_consistency(
            own.strong.decode_logits,
            own.main.decode_logits,
            other.labelled,
            None if with_padding else own.box,
            flipped=True,
            confidence=0.5,
        )
        assert expected > 0
        assert_close(losses[f'loss_ignored_{name}'], 0.05 * expected)
    sum(losses.values()).backward()
    for batch in batches:
        assert batch.strong.decode_logits.grad.abs().sum() > 0
        assert batch.main.decode_logits.grad is None


def test_what_the_strong_view_does_not_show_takes_no_part():
    frame = ViewGeometry.of_frame((16, 16))
    half = frame.part((0, 16, 0, 8), flip=False, size=(12, 6))
    batches = StudentBatches(FakeBatch(1, half), FakeBatch(2, half))
    term = IgnoredConsistencyTerm(labels='pixel', confidence=0.0)
    before = term(batches)
    for batch in batches:
        batch.labelled[:, :, 8:] = 0
    assert_close(term(batches), before)
    for batch in batches:
        batch.labelled[:, :, :8] = 0
    assert all(value == 0 for value in term(batches).values())


def test_nothing_ignored_is_zero_with_a_gradient(batches):
    for batch in batches:
        batch.labelled.fill_(1)
    losses = IgnoredConsistencyTerm(labels='pixel')(batches)
    assert all(value == 0 for value in losses.values())
    sum(losses.values()).backward()
    assert batches.first.strong.decode_logits.grad is not None


def test_bad_settings():
    with pytest.raises(ValueError, match='axis'):
        DiscrepancyTerm(axis='spatial')
    with pytest.raises(ValueError, match='confidence'):
        IgnoredConsistencyTerm(labels='pixel', confidence=1.0)
    with pytest.raises(ValueError, match='weight'):
        CrossSegmentationTerm(
            labels='pixel', loss=dict(type='BalancedCrossEntropyLoss', loss_weight=0.2)
        )
