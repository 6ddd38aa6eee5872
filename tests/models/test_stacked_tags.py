from __future__ import annotations

import pytest
import torch
from mmseg.structures import SegDataSample

from wsss_plugin.models.stacked_tags import stacked_tags


def sample(*tags, path='cat.jpg'):
    made = SegDataSample(metainfo=dict(img_path=path))
    if tags:
        made.gt_tags = torch.tensor(tags)
    return made


def test_a_row_for_each_sample():
    assert stacked_tags([sample(1, 0), sample(0, 0)], 2).tolist() == [[1, 0], [0, 0]]


def test_missing_tags_are_named():
    with pytest.raises(KeyError, match=r'gt_tags in the sample of cat\.jpg.*PackWSSSInputs'):
        stacked_tags([sample(1), sample()], 1)


def test_another_number_of_tags_is_named():
    with pytest.raises(ValueError, match=r'expected 2 tags.*received 3 for dog\.jpg'):
        stacked_tags([sample(1, 0, 0, path='dog.jpg')], 2)
