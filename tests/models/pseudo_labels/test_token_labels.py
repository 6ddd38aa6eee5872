from __future__ import annotations

import torch
import torch.nn.functional as F
from reference_networks import build, random_batch, tiny_config

from wsss_plugin.ops.cam import average_cams
from wsss_plugin.ops.labels import cam_to_label


def labelled(names=('aux',), box=(0, 160, 0, 160), reads='patch'):
    config = tiny_config(labels=dict(token=dict(cams=names, reads=reads)))
    segmentor = build(config)
    segmentor.thresholds.low, segmentor.thresholds.high = 0.2, 0.3
    inputs, samples = random_batch(160)
    for sample in samples:
        sample.set_metainfo(dict(box=box))
    return segmentor.batch(inputs, samples)


def test_the_box_follows_the_grid():
    label = labelled(box=(16, 136, 0, 160)).label('token')
    assert label.shape == (2, 10, 10)
    inside = torch.zeros(10, 10, dtype=torch.bool)
    inside[1:8] = True
    assert (label[:, ~inside] == 255).all()
    assert (label[:, inside] != 255).any()


def test_is_the_label_of_the_mean_cam_on_the_grid():
    batch = labelled(names=('final', 'aux'))
    mean = average_cams(batch.cams(['final', 'aux']))
    mean = F.interpolate(mean, size=(10, 10), mode='bilinear')
    box = torch.tensor([[0, 10, 0, 10]] * 2)
    expected = cam_to_label(mean, batch.tags, 0.2, 0.3, box)
    assert torch.equal(batch.label('token'), expected)
    assert len(expected.unique()) > 2
    assert not torch.equal(labelled(names=('aux',)).label('token'), expected)


def test_the_grid_is_that_of_the_feature_it_reads():
    batch = labelled(reads='inner.3')
    assert batch.label('token').shape == (2, 10, 10)
    needs = build(tiny_config()).labels['token'].needs(0, None)
    assert (needs.features, needs.cams) == (('patch',), ('aux',))
