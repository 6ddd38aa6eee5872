"""Features and filtered labels of a trained model, at the original size."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from wsss_plugin.engine.inner_maps import feature_maps, filtered_labels

CLASSES = 3


class Unchanged(nn.Module):
    def forward(self, batch, label):
        del batch
        return label


class LeftOut(nn.Module):
    """Takes out the left half of the image from half of the training on."""

    def forward(self, batch, label):
        label = label.clone()
        if batch.iteration is not None and batch.iteration >= batch.max_iters // 2:
            label[..., : label.shape[-1] // 2] = 255
        return label


@pytest.fixture
def model():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    vit = dict(img_size=32, embed_dim=24, depth=2, num_heads=3)
    backbone = dict(model_name='vit_tiny_patch16_224', num_classes=CLASSES, model_args=vit)
    model = MODELS.build(
        dict(
            type='WeakSegmentor',
            data_preprocessor=dict(type='MultiViewDataPreProcessor'),
            backbone=dict(type='ClusterVisionTransformer', **backbone),
            decode_head=dict(
                type='LargeFOVHead', in_channels=24, channels=8, num_classes=CLASSES + 1
            ),
            cams=dict(final=dict(type='AttentionCAMHead', in_channels=24)),
            labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
            terms=dict(cls=dict(type='ClassificationTerm')),
            multi_scale=dict(scales=(1.0,)),
            thresholds=dict(low=0.1, high=0.9),
        )
    )
    return model.eval()


@pytest.fixture
def item():
    meta = dict(ori_shape=(40, 60), img_shape=(32, 48))
    sample = SegDataSample(metainfo=meta)
    sample.gt_tags = torch.tensor([1.0, 0, 1])
    return dict(
        inputs=[torch.randint(0, 256, (3, 32, 48), dtype=torch.uint8)], data_samples=[sample]
    )


def test_features_come_at_the_original_size(model, item):
    names = ['class_to_patch.mean', 'clusters']
    maps = feature_maps(model, copy.deepcopy(item), names)
    image = model.data_preprocessor(item, False)['inputs']
    with torch.no_grad():
        seen = model.backbone.forward_features(image, names)
    assert {name: tuple(one.shape) for name, one in seen.items()} == {
        'class_to_patch.mean': (1, CLASSES, 2, 3),
        'clusters': (1, 1, 2, 3),
    }
    expected = {
        name: F.interpolate(one, (40, 60), mode='bilinear', align_corners=False)[0]
        for name, one in seen.items()
    }
    torch.testing.assert_close(maps, expected)
    assert feature_maps(model, item, []) == {}


def test_labels_before_and_after_each_filter(model, item):
    model.labels['pixel'].filters.update(dict(again=Unchanged(), left_out=LeftOut()))
    found = filtered_labels(model, item, max_iters=10)
    assert list(found) == ['pixel', 'pixel, again', 'pixel, left_out']
    assert {tuple(label.shape) for label in found.values()} == {(40, 60)}
    assert torch.equal(found['pixel'], found['pixel, again'])
    assert (found['pixel, left_out'][:, :30] == 255).all()
    assert torch.equal(found['pixel, left_out'][:, 30:], found['pixel'][:, 30:])
    assert (found['pixel'][:, :30] != 255).any()


def test_what_cannot_be_drawn_is_named(model, item):
    with pytest.raises(ValueError, match=r'maps \(1, C, h, w\).*class_tokens'):
        feature_maps(model, item, ['class_tokens'])
    with pytest.raises(ValueError, match=r"received makers \['pixel'\] without one"):
        filtered_labels(model, item, max_iters=10)
