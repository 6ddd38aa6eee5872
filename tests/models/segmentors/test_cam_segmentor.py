from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import init_model
from reference_networks import build, random_batch


def config(**test_cfg):
    return dict(
        type='CAMSegmentor',
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        cam_head=dict(type='CAMHead', in_channels=64, num_classes=5, pooling='avg'),
        test_cfg=test_cfg,
    )


def test_loss_has_gradient():
    segmentor = build(config())
    inputs, samples = random_batch()
    loss = segmentor.loss(inputs['view1'], samples)['loss_cls']
    loss.backward()
    assert segmentor.backbone.conv1.weight.grad.abs().sum() > 0


def test_prediction_is_the_thresholded_cam():
    segmentor = build(config(cam_threshold=0.4)).eval()
    inputs, samples = random_batch()
    with torch.no_grad():
        predictions = segmentor.predict(inputs['view1'], samples)
    for index, prediction in enumerate(predictions):
        label, score = prediction.pred_sem_seg.data, prediction.cam.score
        assert torch.equal(label > 0, score > 0.4)
        assert set(label.unique().tolist()) <= {0, index + 1}


def test_mmsegmentations_inference_reads_the_config():
    model = init_model(Config(dict(model=config(), test_pipeline=[])), device='cpu')
    assert type(model).__name__ == 'CAMSegmentor'


def test_an_image_of_background_only():
    segmentor = build(config()).eval()
    inputs, samples = random_batch(images=1)
    samples[0].gt_tags.zero_()
    with torch.no_grad():
        prediction = segmentor.predict(inputs['view1'], samples)[0]
    assert prediction.pred_sem_seg.data.sum() == 0


def test_a_prediction_needs_tags():
    segmentor = build(config()).eval()
    inputs, _ = random_batch(images=1)
    with pytest.raises(KeyError, match='gt_tags'):
        segmentor.predict(inputs['view1'], None)
