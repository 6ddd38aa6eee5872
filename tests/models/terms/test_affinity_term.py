from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub
from reference_networks import build, random_batch
from torch.testing import assert_close

from wsss_plugin.ops import affinity_loss, affinity_pair_labels


def config(**head):
    reads = ('layer2', 'layer3', 'layer4')
    head = dict(in_channels=(16, 32, 64), channels=(4, 4, 8), radius=2, reads=reads) | head
    return dict(
        type='WeakSegmentor',
        backbone=dict(
            type='ResNet', depth=18, base_channels=8, strides=(1, 1, 1, 1), norm_eval=True
        ),
        cams=dict(
            final=dict(
                type='CAMHead', in_channels=64, num_classes=5, reads='layer4', pooling='avg'
            ),
        ),
        heads=dict(affinity=dict(head, type='AffinityHead')),
        labels=dict(
            pairs=dict(type='AlphaLabels', cams=('final',), reads='layer4', high_alpha=6),
        ),
        terms=dict(
            cls=dict(type='ClassificationTerm'),
            affinity=dict(type='AffinityTerm', labels='pairs', weight=2),
        ),
    )


@pytest.fixture(autouse=True)
def _no_running_training():
    MessageHub.get_current_instance().update_info('iter', 0)


def expected(segmentor, inputs, label):
    head = segmentor.heads['affinity']
    segmentor.backbone.out_indices = (1, 2, 3)
    affinity = head.affinity(segmentor.backbone(inputs['view1']))
    return 2 * affinity_loss(affinity, *affinity_pair_labels(label, head.radius, head.border))


@pytest.mark.parametrize('border', ['complete', 'published'])
def test_loss_is_that_of_the_labels_pairs(border):
    segmentor = build(config(border=border)).train()
    inputs, samples = random_batch()
    batch = segmentor.batch(inputs['view1'], samples, iteration=0)
    label = batch.label('pairs')
    assert label.shape == (2, 16, 16)
    assert len(label.unique()) > 2
    losses = segmentor.loss(inputs['view1'], samples)
    assert set(losses) == {'loss_cls', 'loss_affinity'}
    assert_close(losses['loss_affinity'], expected(segmentor, inputs, label))


def test_the_backbone_runs_once_for_all_readers(monkeypatch):
    segmentor = build(config()).train()
    inputs, samples = random_batch()
    calls = []
    segmentor.backbone.conv1.register_forward_hook(lambda *_: calls.append(1))
    monkeypatch.setattr(type(segmentor.labels['pairs']), 'make', lambda *_: torch.zeros(2, 64, 64))
    segmentor.loss(inputs['view1'], samples)
    assert len(calls) == 1


def test_label_of_another_size_is_taken_at_the_centres(monkeypatch):
    segmentor = build(config()).train()
    inputs, samples = random_batch()
    large = torch.randint(0, 3, (2, 64, 64))
    monkeypatch.setattr(type(segmentor.labels['pairs']), 'make', lambda *_: large)
    losses = segmentor.loss(inputs['view1'], samples)
    assert_close(losses['loss_affinity'], expected(segmentor, inputs, large[:, 2::4, 2::4]))


def test_unknown_head_is_named():
    wrong = config()
    wrong['terms']['affinity']['head'] = 'edge'
    with pytest.raises(ValueError, match=r"model\.terms\.affinity.*model\.heads.*'edge'"):
        build(wrong)


def test_unknown_feature_of_a_head_is_named():
    with pytest.raises(ValueError, match=r"model\.terms\.affinity.*'layer9'"):
        build(config(reads=('layer2', 'layer3', 'layer9')))
