from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.testing import assert_close

from wsss_plugin.models.losses import DenseEnergyLoss

MEAN, STD = torch.tensor([120.0, 110.0, 100.0]), torch.tensor([60.0, 50.0, 40.0])
# The loss is tiny, so only a relative tolerance says something.
CLOSE = {'atol': 0, 'rtol': 1e-5}


def _segmentor(**energy):
    init_default_scope('mmseg')
    return MODELS.build(
        dict(
            type='WeakSegmentor',
            data_preprocessor=dict(
                type='MultiViewDataPreProcessor', mean=MEAN.tolist(), std=STD.tolist()
            ),
            backbone=dict(
                type='TimmVisionTransformer',
                model_name='vit_tiny_patch16_224',
                pretrained=False,
                model_args=dict(img_size=64, embed_dim=24, depth=2, num_heads=3),
            ),
            decode_head=dict(type='LargeFOVHead', in_channels=24, channels=8, num_classes=3),
            cams=dict(final=dict(type='CAMHead', reads='patch', in_channels=24)),
            labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
            terms=dict(
                cls=dict(type='ClassificationTerm'), energy=dict(type='EnergyTerm', **energy)
            ),
        )
    )


@pytest.fixture
def inputs():
    images = (255 * torch.rand(2, 3, 64, 48)).round()
    tags = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    samples = []
    for index, box in enumerate([(0, 64, 0, 48), (10, 50, 8, 40)]):
        sample = SegDataSample(metainfo=dict(box=box))
        sample.gt_tags = tags[index]
        samples.append(sample)
    return images, samples


def _normalised(images):
    return (images - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1)


def _loss(model, inputs):
    images, samples = inputs
    return model.loss(_normalised(images), samples)


@pytest.mark.parametrize('labels', [None, 'pixel'])
def test_is_the_loss_of_logits_picture_label_and_box(inputs, labels):
    model = _segmentor(labels=labels, weight=0.05).eval()
    images, samples = inputs
    received = _loss(model, inputs)['loss_energy']
    view = _normalised(images)
    logits = model.decode_head(model.extract_feat(view))
    label = None if labels is None else model.batch(view, samples).label('pixel')
    box = torch.tensor([sample.metainfo['box'] for sample in samples])
    expected = DenseEnergyLoss()(logits, images / 255, label, box)
    assert received < 0
    assert_close(received, 0.05 * expected, **CLOSE)


def test_label_and_box_matter(inputs):
    model = _segmentor(labels='pixel').eval()
    labelled = _loss(model, inputs)['loss_energy']
    model.terms.energy.labels = None
    unlabelled = _loss(model, inputs)['loss_energy']
    for sample in inputs[1]:
        sample.set_metainfo(dict(box=(0, 64, 0, 48)))
    whole = _loss(model, inputs)['loss_energy']
    assert whole < 1.01 * unlabelled < 0
    assert labelled < 1.01 * unlabelled < 0


def test_errors():
    with pytest.raises(ValueError, match=r'loss\.loss_weight=0\.05'):
        _segmentor(loss=dict(type='DenseEnergyLoss', loss_weight=0.05))
    with pytest.raises(ValueError, match=r"model\.terms\.energy .*'pixels'"):
        _segmentor(labels='pixels')
