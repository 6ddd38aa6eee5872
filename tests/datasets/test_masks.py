from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.masks import require_readable_mask


@pytest.fixture
def mask(tmp_path):
    ids = np.random.default_rng(0).integers(0, 21, (32, 40), np.uint8)
    Image.fromarray(ids).save(tmp_path / 'mask.png')
    return tmp_path / 'mask.png', ids


def test_class_ids_and_palettes_are_accepted(mask):
    path, ids = mask
    require_readable_mask(str(path))
    image = Image.fromarray(ids).convert('P')
    image.putpalette([255 - value for value in range(256) for _ in range(3)])
    image.save(path)
    require_readable_mask(str(path))


@pytest.mark.parametrize('share', [0.0, 0.3, 0.9])
def test_truncated_file(mask, share):
    path, _ = mask
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RuntimeError, match=r'mask\.png: .*truncated.*replace the file'):
        require_readable_mask(str(path))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.png: expected a mask.*data_root'):
        require_readable_mask(str(tmp_path / 'nowhere.png'))


def test_colours_instead_of_class_ids(mask):
    path, ids = mask
    Image.fromarray(np.stack([ids] * 3, axis=-1)).save(path)
    with pytest.raises(ValueError, match=r'mask\.png: .*3 channels.*palette PNG'):
        require_readable_mask(str(path))
