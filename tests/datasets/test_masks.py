from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.masks import require_class_ids, require_readable_mask
from wsss_plugin.errors import DataError


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


@pytest.mark.parametrize('require', [require_readable_mask, require_class_ids])
@pytest.mark.parametrize(('mode', 'channels'), [('RGB', 3), ('RGBA', 4), ('LA', 2)])
def test_colours_instead_of_class_ids(mask, require, mode, channels):
    path, ids = mask
    Image.fromarray(ids).convert(mode).save(path)
    with pytest.raises(ValueError, match=rf'mask\.png: .*{channels} channels.*palette PNG'):
        require(str(path))


@pytest.mark.parametrize('require', [require_readable_mask, require_class_ids])
@pytest.mark.parametrize('dtype', ['u2', 'i4', 'f4'])
def test_more_than_eight_bits(mask, require, dtype):
    path, ids = mask
    path = path.with_suffix('.tif')
    Image.fromarray(ids.astype(dtype)).save(path)
    with pytest.raises(ValueError, match=r'mask\.tif: .*8 bits.*modulo 256'):
        require(str(path))


@pytest.mark.parametrize('mode', ['1', 'L', 'P'])
def test_what_one_channel_of_eight_bits_holds(mask, mode):
    path, ids = mask
    Image.fromarray(ids).convert(mode).save(path)
    require_readable_mask(str(path))
    require_class_ids(str(path))


@pytest.mark.parametrize('options', [{'format': 'JPEG'}, {'format': 'TIFF', 'compression': 'jpeg'}])
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_files_that_change_values(mask, options, suffix):
    path, ids = mask
    path = path.with_suffix(suffix)
    Image.fromarray(ids).save(path, **options)
    with pytest.raises(DataError, match=rf'mask\{suffix}: .*in the format {options["format"]}'):
        require_class_ids(str(path))


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'TIFF', 'GIF'])
def test_files_that_keep_values(mask, kind):
    path, ids = mask
    Image.fromarray(ids).save(path, format=kind)
    require_class_ids(str(path))
