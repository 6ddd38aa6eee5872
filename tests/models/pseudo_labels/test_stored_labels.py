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
    return SimpleNamespace(data_samples=samples)


def test_a_missing_label_is_named():
    with pytest.raises(KeyError, match=r'mask for cat\.jpg.*label_dir=.*LoadAnnotations'):
        build(dict(type='StoredLabels')).make(batch(torch.zeros(1, 2, 2), None, label_dir='labels'))


def test_true_masks_and_pseudo_labels_are_not_confused():
    mask = torch.zeros(1, 2, 2)
    with pytest.raises(ConfigError, match=r'pseudo label for cat\.jpg, received a true mask'):
        build(dict(type='StoredLabels')).make(batch(mask))
    with pytest.raises(ConfigError, match=r'true mask for cat\.jpg, received a pseudo label of la'):
        build(dict(type='TrueLabels')).make(batch(mask, label_dir='labels'))
