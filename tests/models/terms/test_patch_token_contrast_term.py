from __future__ import annotations

import torch
from reference_networks import build, random_batch, small_config

from wsss_plugin.ops.contrast import patch_token_contrast


def test_is_the_loss_of_tokens_and_labels():
    segmentor = build(small_config())
    segmentor.thresholds.low, segmentor.thresholds.high = 0.2, 0.3
    batch = segmentor.batch(*random_batch())
    losses = segmentor.terms['ptc'](batch)
    label = batch.label('token')
    assert len(label.unique()) > 2
    tokens = batch.main.features(['patch'])['patch']
    torch.testing.assert_close(losses['loss_ptc'], 0.2 * patch_token_contrast(tokens, label))


def test_ignores_by_the_loss_s_own_index():
    loss = dict(type='PatchTokenContrastLoss', ignore_index=-1)
    config = small_config(terms=dict(ptc=dict(loss=loss)), labels=dict(token=dict(ignore_index=-1)))
    segmentor = build(config)
    batch = segmentor.batch(*random_batch())
    # Everything is uncertain.
    segmentor.thresholds.low, segmentor.thresholds.high = 0.0, 1.0
    batch.cams(['aux'])
    batch._cams['aux'] = torch.full((2, 5, 64, 64), 0.5)
    assert (batch.label('token') == -1).all()
    torch.testing.assert_close(segmentor.terms['ptc'](batch)['loss_ptc'], torch.tensor(0.1))


def test_another_feature():
    segmentor = build(small_config(terms=dict(ptc=dict(reads='inner.5'))))
    segmentor.loss(*random_batch())['loss_ptc'].backward()
    blocks = segmentor.backbone.trunk.blocks
    assert blocks[5].mlp.fc2.weight.grad.abs().sum() > 0
    assert blocks[6].mlp.fc2.weight.grad is None
