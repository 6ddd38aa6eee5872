"""Labels of CAMs that walk, along affinities and up to boundaries."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from reference_networks import build, random_batch

from wsss_plugin.ops import alpha_scores, random_walk

CAM = dict(type='CAMHead', in_channels=64, num_classes=5, reads='layer4', pooling='avg')
CONFIG = dict(
    type='WeakSegmentor',
    backbone=dict(type='ResNet', depth=18, base_channels=8, strides=(1, 2, 2, 1)),
    cams=dict(final=CAM),
    heads=dict(
        affinity=dict(
            type='AffinityHead',
            in_channels=(16, 32),
            channels=(4, 4),
            radius=3,
            reads=('layer2', 'layer3'),
        ),
        irn=dict(
            type='IRNHead', in_channels=(64, 8, 16, 32, 64), edge_channels=4, channels=(8, 16, 16)
        ),
    ),
    labels=dict(
        walk=dict(type='RandomWalkLabels', cams=('final',), alpha=4, steps=16),
        boundary=dict(type='BoundaryWalkLabels', cams=('final',), steps=16),
    ),
    terms=dict(cls=dict(type='ClassificationTerm')),
)


@pytest.fixture
def segmentor():
    return build(copy.deepcopy(CONFIG)).eval()


@pytest.fixture
def batch(segmentor):
    inputs, samples = random_batch()
    return segmentor.batch(inputs['view1'], samples)


def test_random_walk_is_that_of_cells(segmentor, batch):
    # Affinities of random weights are high, and many steps would leave one value everywhere.
    segmentor.labels['walk'].steps = 1
    label = batch.label('walk')
    (cam,) = batch.cams(['final'])
    head = segmentor.heads['affinity']
    maps = list(batch.main.features(head.reads).values())
    cells = F.avg_pool2d(alpha_scores(cam, batch.tags, 4), 8)
    walked = random_walk(cells, head.affinity(maps), 3, steps=1)
    large = F.interpolate(walked, scale_factor=8, mode='bilinear', align_corners=False)
    assert torch.equal(label, large.argmax(dim=1))
    assert label[0].unique().tolist() == [0, 1]


def test_a_boundary_keeps_a_class_on_its_side(segmentor, batch, monkeypatch):
    """With boundaries down the middle, and a CAM on the left only."""
    edge = torch.zeros(2, 1, 16, 16)
    edge[..., 7:9] = 1
    maker = segmentor.labels['boundary']
    monkeypatch.setattr(maker, '_edge', lambda _batch: edge)
    cam = torch.zeros(2, 5, 64, 64)
    cam[..., 20:28, 8:16] = 0.8
    label = maker.label(batch, cam, 0, 0)
    assert (label[0, 20:28, 8:16] == 1).all()
    assert (label[..., 32:] == 0).all()


def test_classes_without_tags_do_not_set_the_scale(segmentor, batch, monkeypatch):
    maker = segmentor.labels['boundary']
    edge = torch.zeros(2, 1, 16, 16)
    edge[..., 7:9] = 1
    monkeypatch.setattr(maker, '_edge', lambda _batch: edge)
    cam = torch.zeros(2, 5, 64, 64)
    cam[:, :2, 20:28, 8:16] = 0.1
    expected = maker.label(batch, cam, 0, 0)
    assert [one.unique().tolist() for one in expected] == [[0, 1], [0, 2]]
    cam[:, 2:] = 1
    assert torch.equal(maker.label(batch, cam, 0, 0), expected)


def test_edge_is_that_of_image_and_mirror_image(segmentor, batch):
    maker, head = segmentor.labels['boundary'], segmentor.heads['irn']
    mirrored = segmentor.batch(batch.image.flip(-1), batch.data_samples)
    with torch.no_grad():
        edges = [maker._edge(one) for one in (batch, mirrored)]
        maps = list(batch.main.features(head.reads).values())
        alone = head(maps)[0].sigmoid()
    torch.testing.assert_close(edges[0], edges[1].flip(-1))
    assert not torch.allclose(edges[0], alone)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(type='RandomWalkLabels', alpha=0), 'alpha=0, beta=8 and steps=256'),
        (dict(type='RandomWalkLabels', steps=-1), 'steps=-1'),
        (dict(type='BoundaryWalkLabels', threshold=2), 'threshold=2, radius=5'),
        (dict(type='BoundaryWalkLabels', power=0), 'power=0'),
    ],
)
def test_settings_are_checked(config, message):
    init_default_scope('mmseg')
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(config, cams=('final',)))


def test_head_is_checked_when_built():
    wrong = copy.deepcopy(CONFIG)
    wrong['labels']['walk']['head'] = 'none'
    with pytest.raises(ValueError, match=r"model\.labels\.walk.*model\.heads.*'none'"):
        build(wrong)


@pytest.mark.parametrize('name', ['walk', 'boundary'])
def test_absent_classes_do_not_walk(segmentor, batch, monkeypatch, name):
    maker, counts = segmentor.labels[name], []
    scores = maker.scores

    def counted(seen, cam):
        counts.append(cam.shape[1])
        return scores(seen, cam)

    monkeypatch.setattr(maker, 'scores', counted)
    label = maker.make(batch)
    maker.of_present_classes = False
    assert torch.equal(maker.make(batch), label)
    assert counts == [len(batch.present_classes), 5]
    assert counts[0] < 5
