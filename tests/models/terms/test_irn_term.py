from __future__ import annotations

import pytest
from mmengine.logging import MessageHub
from reference_networks import build, random_batch
from torch.testing import assert_close

from wsss_plugin.ops import affinity_loss, affinity_pair_labels, displacement_loss, path_affinity


def config():
    head = dict(in_channels=(64, 8, 16, 32, 64), scales=(1, 1, 2, 4, 4), edge_channels=4)
    return dict(
        type='WeakSegmentor',
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=8,
            strides=(1, 2, 2, 1),
            frozen_stages=4,
            norm_eval=True,
        ),
        cams=dict(
            final=dict(
                type='CAMHead', in_channels=64, num_classes=5, reads='layer4', pooling='avg'
            ),
        ),
        heads=dict(irn=dict(head, type='IRNHead', channels=(8, 16, 16), radius=3)),
        labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
        terms=dict(irn=dict(type='IRNTerm', labels='pixel', weight=2)),
    )


@pytest.fixture(autouse=True)
def _no_running_training():
    MessageHub.get_current_instance().update_info('iter', 0)


def test_losses_are_those_of_the_labels_pairs():
    segmentor = build(config()).train()
    inputs, samples = random_batch()
    batch = segmentor.batch(inputs['view1'], samples, iteration=0)
    label = batch.label('pixel')[:, 2::4, 2::4]
    losses = segmentor.loss(inputs['view1'], samples)
    assert set(losses) == {'loss_affinity', 'loss_displacement'}
    head = segmentor.heads['irn']
    maps = list(segmentor.batch(inputs['view1'], samples).main.features(head.reads).values())
    edge, displacement = head(maps)
    background, foreground, negative = affinity_pair_labels(label, 3)
    kinds = background, foreground, negative
    expected = 2 * affinity_loss(path_affinity(edge.sigmoid(), 3), *kinds)
    assert_close(losses['loss_affinity'], expected)
    expected = 2 * displacement_loss(displacement, background, foreground, 3)
    assert_close(losses['loss_displacement'], expected)
