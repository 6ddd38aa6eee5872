from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.losses import PatchTokenContrastLoss

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    return reference('ptc_loss')


def test_reference_value_and_gradient(arrays):
    features = arrays['feats'].requires_grad_()
    loss = MODELS.build({'type': 'PatchTokenContrastLoss'})(features, arrays['label'])
    assert_close(loss, arrays['loss'], **CLOSE)
    loss.backward()
    assert_close(features.grad, arrays['grad'], **CLOSE)


def test_weight(arrays):
    loss = PatchTokenContrastLoss(loss_weight=0.2)
    assert_close(loss(arrays['feats'], arrays['label']), 0.2 * arrays['loss'], **CLOSE)


def test_everything_ignored(arrays):
    features = arrays['feats'].requires_grad_()
    loss = PatchTokenContrastLoss()(features, torch.full_like(arrays['label'], 255))
    loss.backward()
    assert_close(loss, arrays['loss_all_ignored'], atol=0, rtol=0)
    assert features.grad.isfinite().all()


def test_another_ignore_index(arrays):
    label = arrays['label'].where(arrays['label'] != 255, -1)
    loss = PatchTokenContrastLoss(ignore_index=-1)(arrays['feats'], label)
    assert_close(loss, arrays['loss'], **CLOSE)


def test_half_precision_is_computed_in_float32(arrays):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = PatchTokenContrastLoss()(arrays['feats'], arrays['label'])
    assert_close(loss, arrays['loss'], **CLOSE)
    assert PatchTokenContrastLoss()(arrays['feats'].half(), arrays['label']).dtype == torch.float32
