from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from reference_networks import build, random_batch, small_config

from wsss_plugin.models.losses import BalancedCrossEntropyLoss


def test_is_the_loss_of_the_decode_head_on_the_label():
    segmentor = build(small_config())
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.4
    batch = segmentor.batch(*random_batch())
    losses = segmentor.terms['seg'](batch)
    label = batch.label('pixel')
    logits = F.interpolate(batch.main.decode_logits, size=(64, 64), mode='bilinear')
    torch.testing.assert_close(losses['loss_seg'], 0.1 * BalancedCrossEntropyLoss()(logits, label))
    known = label != 255
    assert 0 < known.float().mean() < 1
    torch.testing.assert_close(losses['supervised_fraction'], known.float().mean())
    right = (logits.argmax(dim=1) == label)[known].float().mean()
    torch.testing.assert_close(losses['acc_seg'].squeeze(), 100 * right)


def test_any_loss_of_a_decode_head():
    loss = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True, loss_name='loss_ce')
    segmentor = build(small_config(terms=dict(seg=dict(loss=loss))))
    batch = segmentor.batch(*random_batch())
    logits = F.interpolate(batch.main.decode_logits, size=(64, 64), mode='bilinear')
    expected = 0.1 * F.cross_entropy(logits, batch.label('pixel'), ignore_index=255)
    torch.testing.assert_close(segmentor.terms['seg'](batch)['loss_ce'], expected)


def test_true_masks_for_full_supervision():
    config = small_config(
        labels=dict(pixel=None, token=None, region=None, truth=dict(type='TrueLabels')),
        terms=dict(ptc=None, ctc=None, cls=None, seg=dict(labels='truth')),
        cams=dict(final=None, aux=None),
    )
    segmentor = build(config)
    inputs, samples = random_batch()
    for sample in samples:
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 6, (1, 64, 64)))
    losses = segmentor.loss(dict(view1=inputs['view1']), samples)
    assert set(losses) == {'loss_seg', 'acc_seg', 'supervised_fraction'}
    losses['loss_seg'].backward()
    assert all(p.grad is not None for p in segmentor.decode_head.parameters())


_LOSSES = {
    'balanced': dict(type='BalancedCrossEntropyLoss'),
    'plain': dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True, loss_name='loss_seg'),
}


@pytest.fixture
def stored():
    """The term by weights of the images, with the gradient of each image's logits."""

    def run(loss, weights, value=None):
        torch.manual_seed(0)
        segmentor = build(
            small_config(
                labels=dict(pixel=None, token=None, region=None, stored=dict(type='StoredLabels')),
                terms=dict(
                    ptc=None, ctc=None, cls=None, seg=dict(labels='stored', loss=_LOSSES[loss])
                ),
                cams=dict(final=None, aux=None),
            )
        )
        inputs, samples = random_batch()
        draw = torch.Generator().manual_seed(3)
        for number, (sample, weight) in enumerate(zip(samples, weights, strict=True)):
            label = torch.randint(0, 6, (1, 64, 64), generator=draw)
            # Other shares of background and of ignored pixels in each image.
            label[:, : 16 * (number + 1)] = 255 * number
            sample.gt_sem_seg = PixelData(data=label if value is None else label * 0 + value)
            sample.set_metainfo(dict(label_dir='labels', label_weight=weight))
        batch = segmentor.batch(dict(view1=inputs['view1']), samples)
        losses = segmentor.terms['seg'](batch)
        (gradient,) = torch.autograd.grad(losses['loss_seg'], batch.main.decode_logits)
        return losses, gradient

    return run


@pytest.mark.parametrize('loss', _LOSSES)
def test_weights_of_images_scale_their_gradients_alone(stored, loss):
    plain, gradient = stored(loss, (1, 1))
    assert gradient.abs().amax(dim=(1, 2, 3)).min() > 0
    weighted, changed = stored(loss, (4, 0.5))
    torch.testing.assert_close(changed[0], 4 * gradient[0])
    torch.testing.assert_close(changed[1], 0.5 * gradient[1])
    first, second = (stored(loss, weights)[0]['loss_seg'] for weights in ((1, 0), (0, 1)))
    torch.testing.assert_close(plain['loss_seg'], first + second)
    torch.testing.assert_close(weighted['loss_seg'], 4 * first + 0.5 * second)
    assert weighted['supervised_fraction'] == plain['supervised_fraction']


@pytest.mark.parametrize('loss', _LOSSES)
def test_an_image_of_weight_zero_teaches_nothing(stored, loss):
    _, gradient = stored(loss, (1, 1))
    _, changed = stored(loss, (0, 1))
    assert changed[0].abs().max() == 0
    torch.testing.assert_close(changed[1], gradient[1])


@pytest.mark.parametrize('loss', _LOSSES)
@pytest.mark.parametrize(('weights', 'value'), [((0, 0), None), ((3, 0), 255)])
def test_nothing_to_learn_from_is_finite(stored, loss, weights, value):
    losses, gradient = stored(loss, weights, value)
    assert losses['loss_seg'] == 0
    assert gradient.abs().max() == 0


def test_weights_are_those_of_the_label_that_is_learnt():
    # Labels of CAMs have none, whatever folder the samples come from.
    segmentor = build(small_config())
    inputs, samples = random_batch()
    expected = segmentor.terms['seg'](segmentor.batch(inputs, samples))['loss_seg']
    for sample in samples:
        sample.set_metainfo(dict(label_weight=7.0))
    found = segmentor.terms['seg'](segmentor.batch(inputs, samples))['loss_seg']
    torch.testing.assert_close(found, expected)
