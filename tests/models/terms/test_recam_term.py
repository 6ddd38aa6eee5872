from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub
from reference_networks import build, random_batch
from torch.testing import assert_close

from wsss_plugin.ops import normalize_cam, softmax_class_loss


def config(**terms):
    cam = dict(in_channels=64, num_classes=5, reads='out.-1')
    return dict(
        type='WeakSegmentor',
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        cams=dict(
            base=dict(cam, type='CAMHead', pooling='avg'),
            final=dict(cam, type='ReweightedCAMHead', base='base'),
        ),
        terms=dict(
            cls=dict(type='ClassificationTerm'), softmax=dict(type='ReCAMTerm', weight=0.5), **terms
        ),
    )


@pytest.fixture(autouse=True)
def _no_running_training():
    MessageHub.get_current_instance().update_info('iter', 0)


def test_loss_is_that_of_the_class_features():
    segmentor = build(config())
    inputs, samples = random_batch()
    losses = segmentor.loss(inputs['view1'], samples)
    assert set(losses) == {'loss_cls', 'loss_recam'}
    cams = segmentor.cams
    maps = segmentor.backbone(inputs['view1'])[-1]
    cam = cams['base'].cam(maps).relu()
    masks = cam / (cam.amax(dim=(2, 3), keepdim=True) + 1e-5)
    pooled = torch.einsum('bkhw,bchw->bkc', masks, maps) / maps[0, 0].numel()
    logits = pooled @ cams['final'].classifier.weight.flatten(1).T
    tags = torch.stack([sample.gt_tags for sample in samples])
    assert_close(losses['loss_recam'], 0.5 * softmax_class_loss(logits, tags))


def test_prediction_is_the_cam_of_both_weights():
    segmentor = build(config()).eval()
    segmentor.multi_scale = dict(scales=(1.0,), flip=None)
    inputs, _ = random_batch()
    with torch.no_grad():
        (cam,) = segmentor.batch(inputs['view1'], []).cams(['final'])
        maps = segmentor.backbone(inputs['view1'])[-1]
    weight = segmentor.cams['base'].classifier.weight * segmentor.cams['final'].classifier.weight
    raw = torch.einsum('kc,bchw->bkhw', weight.flatten(1), maps)
    raw = torch.nn.functional.interpolate(raw, size=(64, 64), mode='bilinear').relu()
    assert_close(cam, normalize_cam(raw).detach(), atol=1e-5, rtol=0)


def test_another_kind_of_source_is_refused():
    wrong = config()
    wrong['terms']['softmax']['cams'] = 'base'
    wrong['cams'].pop('final')
    wrong['cams']['final'] = wrong['cams']['base'] | dict(in_channels=64)
    segmentor = build(wrong)
    inputs, samples = random_batch()
    with pytest.raises(TypeError, match=r'ReweightedCAMHead as model\.cams\.base.*CAMHead'):
        segmentor.loss(inputs['view1'], samples)
