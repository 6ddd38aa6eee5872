from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from reference_networks import build


def sample(mask=None):
    made = SegDataSample(metainfo=dict(img_path='cat.jpg'))
    if mask is not None:
        made.gt_sem_seg = PixelData(data=mask)
    return made


def test_a_missing_mask_is_named():
    batch = SimpleNamespace(data_samples=[sample(torch.zeros(1, 2, 2)), sample()])
    with pytest.raises(KeyError, match=r'mask for cat\.jpg.*load_masks=True.*LoadAnnotations'):
        build(dict(type='TrueLabels')).make(batch)
