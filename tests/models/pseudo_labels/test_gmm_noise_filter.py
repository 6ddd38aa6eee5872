from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from student_networks import build, samples, student_config, views

from wsss_plugin.models.pseudo_labels import GMMNoiseFilter, LabelFilter
from wsss_plugin.ops import filter_noise


def batch_of(logits, iteration=10, max_iters=20):
    main = SimpleNamespace(decode_logits=logits)
    return SimpleNamespace(main=main, iteration=iteration, max_iters=max_iters, logged={})


@pytest.fixture
def noisy():
    """Logits that agree with three quarters of the labels and firmly contradict the others."""
    truth = torch.randint(0, 4, (2, 24, 24))
    logits = (2.5 + torch.randn(2, 1, 24, 24)) * F.one_hot(truth, 4).permute(0, 3, 1, 2)
    wrong = torch.rand(truth.shape) < 0.25
    label = torch.where(wrong, truth % 3 + 1, truth)
    return logits, label.masked_fill(torch.rand(label.shape) < 0.1, 255)


def test_filters_by_the_loss_of_the_decode_head(noisy):
    logits, label = noisy
    losses = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    batch = batch_of(logits)
    filtered = GMMNoiseFilter()(batch, label)
    assert torch.equal(filtered, filter_noise(label, losses))
    taken = (filtered == 255) & (label != 255)
    assert taken.any()
    foreground = (label != 0) & (label != 255)
    assert batch.logged['noise_share'] == taken.sum() / foreground.sum()
    assert batch.logged['noise_too_few'] == batch.logged['noise_too_close'] == 0
    assert isinstance(GMMNoiseFilter(), LabelFilter)


def test_every_rule_is_passed_on(noisy):
    logits, label = noisy
    losses = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    settings = dict(fit_above=None, fewest=0.2, gap=0.5, certainty=0.7, as_released=True)
    found = GMMNoiseFilter(**settings)(batch_of(logits), label)
    assert torch.equal(found, filter_noise(label, losses, **settings))
    assert not torch.equal(found, GMMNoiseFilter()(batch_of(logits), label))


def test_images_left_alone_are_logged(noisy):
    logits, label = noisy
    batch = batch_of(logits)
    label = torch.cat((label[:1], torch.zeros_like(label[:1])))
    GMMNoiseFilter(gap=20.0)(batch, label)
    assert batch.logged['noise_too_few'] == batch.logged['noise_too_close'] == 0.5
    assert batch.logged['noise_share'] == 0


@pytest.mark.parametrize('iteration', [None, 7])
def test_neither_before_its_start_nor_outside_a_training(noisy, iteration):
    logits, label = noisy
    batch = batch_of(logits, iteration)
    label_filter = GMMNoiseFilter(start=0.4)
    assert label_filter(batch, label) is label
    assert not batch.logged
    assert not label_filter.needs(iteration, 20).decoder
    assert label_filter.needs(8, 20).decoder


def test_logits_are_resized_to_the_label(noisy):
    logits, label = noisy
    small = F.avg_pool2d(logits, 2)
    resized = F.interpolate(small, (24, 24), mode='bilinear', align_corners=False)
    label_filter = GMMNoiseFilter(gap=0.2)
    expected = label_filter(batch_of(resized), label)
    assert torch.equal(label_filter(batch_of(small), label), expected)


@pytest.mark.parametrize('value', [0, 255])
def test_labels_without_foreground_stay(value):
    label = torch.full((1, 8, 8), value)
    batch = batch_of(torch.randn(1, 4, 8, 8))
    assert torch.equal(GMMNoiseFilter()(batch, label), label)
    assert batch.logged['noise_share'] == 0


def test_in_a_segmentor_without_students(iteration):
    """The filter stands in ToCo's config too, and what it finds is logged."""
    config = student_config()
    config['labels']['pixel']['filters'] = dict(noise=dict(type='GMMNoiseFilter', start=5))
    config['terms']['seg'] = dict(type='SegmentationTerm', labels='pixel')
    model = build(config)
    iteration(4, 20)
    before = model.loss(views(), samples())
    iteration(5, 20)
    after = model.loss(views(), samples())
    assert set(after) - set(before) == {'noise_share', 'noise_too_few', 'noise_too_close'}
    assert all(0 <= float(after[name]) <= 1 for name in set(after) - set(before))
    total, log = model.parse_losses(after)
    assert total.requires_grad
    assert 'noise_share' in log


@pytest.mark.parametrize(
    ('setting', 'message'), [(dict(start=-1), 'start'), (dict(certainty=1.5), 'certainty')]
)
def test_bad_settings(setting, message):
    with pytest.raises(ValueError, match=message):
        GMMNoiseFilter(**setting)
