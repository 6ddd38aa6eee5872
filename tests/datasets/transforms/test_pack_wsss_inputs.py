from __future__ import annotations

import numpy as np
import pytest
import torch

from wsss_plugin.datasets.transforms import PackWSSSInputs
from wsss_plugin.ops import ViewGeometry


def test_views_tags_and_metainfo():
    view = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    results = {
        'img': view,
        'views': {'view1': view[..., ::-1], 'local': view},
        'gt_tags': np.array([0, 1, 1], np.float32),
        'box': (0, 2, 1, 4),
        'sample_seed': 5,
        'groups': ('plain',),
        'view_geometry': {'view1': ViewGeometry.of_frame((2, 4))},
        'img_path': 'a.jpg',
    }
    packed = PackWSSSInputs()(results)
    assert set(packed['inputs']) == {'view1', 'local'}
    assert torch.equal(packed['inputs']['local'], torch.from_numpy(view).permute(2, 0, 1))
    assert torch.equal(packed['inputs']['view1'], packed['inputs']['local'].flip(0))
    sample = packed['data_samples']
    assert torch.equal(sample.gt_tags, torch.tensor([0.0, 1.0, 1.0]))
    assert 'gt_tags' in sample.keys()  # noqa: SIM118
    assert sample.metainfo['box'] == (0, 2, 1, 4)
    assert sample.metainfo['sample_seed'] == 5
    assert sample.metainfo['groups'] == ('plain',)
    assert sample.metainfo['view_geometry']['view1'].size == (2, 4)
    assert 'img' in results


def test_test_sample_with_mask_and_without_tags():
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2] = 7, 8, 9
    mask = np.arange(24, dtype=np.uint8).reshape(4, 6)
    packed = PackWSSSInputs()({'img': image, 'gt_seg_map': mask})
    assert torch.equal(packed['inputs'], torch.from_numpy(image).permute(2, 0, 1))
    sample = packed['data_samples']
    assert torch.equal(sample.gt_sem_seg.data, torch.from_numpy(mask)[None].long())
    assert 'gt_tags' not in sample


def test_nothing_to_pack():
    with pytest.raises(KeyError, match='expected an image or views'):
        PackWSSSInputs()({'img_path': 'a.jpg'})
