from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from reference_networks import build

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels import LabelMaker


def sample(mask=None):
    made = SegDataSample(metainfo=dict(img_path='cat.jpg'))
    if mask is not None:
        made.gt_sem_seg = PixelData(data=mask)
    return made


def test_are_the_masks_of_the_data_set():
    masks = torch.randint(0, 9, (2, 1, 4, 5), dtype=torch.uint8)
    maker = build(dict(type='TrueLabels'))
    label = maker.make(SimpleNamespace(data_samples=[sample(mask) for mask in masks]))
    assert torch.equal(label, masks[:, 0].long())
    assert isinstance(maker, LabelMaker)
    assert maker.needs(3, 9) == Needs()
    assert maker.starts(9) == (0,)
    assert not maker.per_pixel


def test_a_missing_mask_is_named():
    batch = SimpleNamespace(data_samples=[sample(torch.zeros(1, 2, 2)), sample()])
    with pytest.raises(KeyError, match=r'mask for cat\.jpg.*load_masks=True.*LoadAnnotations'):
        build(dict(type='TrueLabels')).make(batch)
