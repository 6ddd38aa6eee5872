from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
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
    assert not features.grad.any()


def test_another_ignore_index(arrays):
    label = arrays['label'].where(arrays['label'] != 255, -1)
    loss = PatchTokenContrastLoss(ignore_index=-1)(arrays['feats'], label)
    assert_close(loss, arrays['loss'], **CLOSE)


def test_half_precision_is_computed_in_float32(arrays):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = PatchTokenContrastLoss()(arrays['feats'], arrays['label'])
    assert_close(loss, arrays['loss'], **CLOSE)
    assert PatchTokenContrastLoss()(arrays['feats'].half(), arrays['label']).dtype == torch.float32


def stock_head(**loss):
    init_default_scope('mmseg')
    return MODELS.build(
        dict(
            type='FCNHead',
            in_channels=4,
            channels=4,
            num_convs=1,
            num_classes=3,
            dropout_ratio=0,
            norm_cfg=dict(type='BN'),
            loss_decode=[
                dict(type='CrossEntropyLoss', avg_non_ignore=True),
                dict(type='PatchTokenContrastLoss', loss_weight=0.2, **loss),
            ],
        )
    )


def samples(*size):
    label = torch.randint(0, 3, (2, 1, *size))
    label[:, :, 0] = 255
    return label[:, 0], [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in label]


def test_as_a_loss_of_a_stock_decode_head():
    head = stock_head()
    features = torch.randn(2, 4, 6, 5)
    label, data_samples = samples(6, 5)
    losses = head.loss([features], data_samples, {})
    assert set(losses) == {'loss_ce', 'loss_ptc', 'acc_seg'}
    expected = 0.2 * PatchTokenContrastLoss()(head([features]), label)
    assert_close(losses['loss_ptc'], expected)
    losses['loss_ptc'].backward()
    assert head.conv_seg.weight.grad.abs().sum() > 0


def test_a_grid_keeps_few_of_many_pixels():
    head = stock_head(grid=8)
    features = torch.randn(2, 4, 16, 16)
    # At this size all pairs would need 34 GB an image.
    label, data_samples = samples(304, 304)
    losses = head.loss([features], data_samples, {})
    centres = slice(19, None, 38)
    logits = torch.nn.functional.interpolate(head([features]), size=(304, 304), mode='bilinear')
    few = logits[..., centres, centres], label[:, centres, centres]
    assert_close(losses['loss_ptc'], 0.2 * PatchTokenContrastLoss()(*few))


def test_a_grid_enlarges_nothing(arrays):
    loss = PatchTokenContrastLoss(grid=(100, 200))
    assert_close(loss(arrays['feats'], arrays['label']), arrays['loss'], **CLOSE)


def test_the_ignored_label_of_the_call_comes_first(arrays):
    label = arrays['label'].where(arrays['label'] != 255, -1)
    loss = PatchTokenContrastLoss(ignore_index=3)
    assert_close(loss(arrays['feats'], label, ignore_index=-1), arrays['loss'], **CLOSE)


def test_positions_of_weight_zero_are_left_out(arrays):
    weight = (arrays['label'] != 1).float() * 0.5
    label = arrays['label'].masked_fill(arrays['label'] == 1, 255)
    loss = PatchTokenContrastLoss()
    received = loss(arrays['feats'], arrays['label'], weight=weight)
    assert_close(received, loss(arrays['feats'], label))
    assert received != loss(arrays['feats'], arrays['label'])


@pytest.mark.parametrize('grid', [0, (3,), (4, 0), (1, 2, 3)])
def test_grid_is_checked(grid):
    with pytest.raises(ValueError, match='grid of PatchTokenContrastLoss'):
        PatchTokenContrastLoss(grid=grid)


def test_maps_too_large_for_all_pairs_are_refused():
    features, label = torch.zeros(1, 1, 129, 128), torch.zeros(1, 129, 128).long()
    with pytest.raises(ValueError, match=r'16384 positions.*received \(129, 128\).*grid=28'):
        PatchTokenContrastLoss()(features, label)
    # Every pair is of one class, and no two features are similar.
    assert PatchTokenContrastLoss(grid=28)(features, label) == 0.5
