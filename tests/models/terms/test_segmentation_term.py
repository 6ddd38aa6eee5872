from __future__ import annotations

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
