from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from reference_networks import build

from wsss_plugin.errors import ConfigError


def batch(*masks, **metainfo):
    samples = []
    for mask in masks:
        sample = SegDataSample(metainfo=dict(img_path='cat.jpg', **metainfo))
        if mask is not None:
            sample.gt_sem_seg = PixelData(data=mask)
        samples.append(sample)
    return SimpleNamespace(data_samples=samples, image=torch.zeros(len(samples), 3, 2, 2))


def test_a_missing_label_is_named():
    with pytest.raises(KeyError, match=r'mask for cat\.jpg.*label_dir=.*LoadAnnotations'):
        build(dict(type='StoredLabels')).make(batch(torch.zeros(1, 2, 2), None, label_dir='labels'))


def test_true_masks_and_pseudo_labels_are_not_confused():
    mask = torch.zeros(1, 2, 2)
    with pytest.raises(ConfigError, match=r'pseudo label for cat\.jpg, received a true mask'):
        build(dict(type='StoredLabels')).make(batch(mask))
    with pytest.raises(ConfigError, match=r'true mask for cat\.jpg, received a pseudo label of la'):
        build(dict(type='TrueLabels')).make(batch(mask, label_dir='labels'))


@pytest.mark.parametrize('metainfo', [{}, dict(label_weight=1.0)])
def test_labels_that_count_alike(metainfo):
    mask = torch.zeros(1, 2, 2)
    assert build(dict(type='StoredLabels')).image_weights(batch(mask, **metainfo)) is None


def test_labels_count_with_the_weight_of_their_folder():
    given = batch(*torch.zeros(3, 1, 2, 2))
    for sample, weight in zip(given.data_samples, (4.0, 0.0), strict=False):
        sample.set_metainfo(dict(label_weight=weight))
    weights = build(dict(type='StoredLabels')).image_weights(given)
    assert weights.tolist() == [4, 0, 1]
