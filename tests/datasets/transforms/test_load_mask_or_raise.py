from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.transforms import LoadMaskOrRaise


def results(path):
    return {'seg_map_path': str(path), 'reduce_zero_label': False, 'seg_fields': []}


@pytest.fixture
def mask(tmp_path):
    ids = np.random.default_rng(0).integers(0, 21, (32, 40), np.uint8)
    ids[0] = 255
    Image.fromarray(ids).save(tmp_path / 'mask.png')
    return tmp_path / 'mask.png', ids


def test_loads_class_ids(mask):
    path, ids = mask
    assert np.array_equal(LoadMaskOrRaise()(results(path))['gt_seg_map'], ids)


def test_loads_the_indices_of_a_palette(mask):
    path, ids = mask
    image = Image.fromarray(ids, mode='P')
    image.putpalette([255 - value for value in range(256) for _ in range(3)])
    image.save(path)
    assert np.array_equal(LoadMaskOrRaise()(results(path))['gt_seg_map'], ids)


@pytest.mark.parametrize('share', [0.0, 0.3, 0.9])
def test_truncated_file(mask, share):
    path, _ = mask
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RuntimeError, match=r'mask\.png: .*truncated.*replace the file'):
        LoadMaskOrRaise()(results(path))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.png: expected a mask.*data_root'):
        LoadMaskOrRaise()(results(tmp_path / 'nowhere.png'))


def test_colours_instead_of_class_ids(mask):
    path, ids = mask
    Image.fromarray(np.stack([ids] * 3, axis=-1)).save(path)
    with pytest.raises(ValueError, match=r'mask\.png: .*3 channels.*palette PNG'):
        LoadMaskOrRaise()(results(path))


def test_no_path_is_given():
    with pytest.raises(KeyError, match=r'a\.jpg: .*load_masks=True'):
        LoadMaskOrRaise()({'img_path': 'a.jpg'})
