from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.transforms import LoadImageOrRaise


def test_loads_bgr(tmp_path, write_image):
    path = write_image(tmp_path / 'a.png')
    results = LoadImageOrRaise()({'img_path': str(path)})
    assert results['img'].shape == (12, 16, 3)
    assert results['ori_shape'] == (12, 16)
    assert results['img'][3, 5].tolist() == [8, 5, 3]


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.jpg: expected an image.*data_root'):
        LoadImageOrRaise()({'img_path': str(tmp_path / 'nowhere.jpg')})


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
@pytest.mark.parametrize('share', [0.0, 0.3, 0.9])
def test_truncated_file(tmp_path, suffix, share):
    path = tmp_path / f'cut.{suffix}'
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RuntimeError, match=rf'cut\.{suffix}: .*truncated.*replace the file'):
        LoadImageOrRaise()({'img_path': str(path)})


def test_file_that_is_no_image(tmp_path):
    path = tmp_path / 'text.jpg'
    path.write_text('hello')
    with pytest.raises(RuntimeError, match=r'text\.jpg'):
        LoadImageOrRaise()({'img_path': str(path)})


@pytest.mark.parametrize(
    ('dtype', 'suffix'), [('u2', 'png'), ('u2', 'tif'), ('i4', 'tif'), ('f4', 'tif')]
)
def test_more_than_eight_bits(tmp_path, dtype, suffix):
    path = tmp_path / f'deep.{suffix}'
    Image.fromarray(np.full((8, 8), 1000, dtype)).save(path)
    with pytest.raises(ValueError, match=rf'deep\.{suffix}: .*8 bits.*received .*convert'):
        LoadImageOrRaise()({'img_path': str(path)})


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'LA', 'RGBA', 'CMYK'])
def test_other_images_of_eight_bits(tmp_path, mode):
    path = tmp_path / 'a.tif'
    # The palette is the image's own; the web's knows no 250.
    grey = Image.new('RGB', (8, 6), (250, 250, 250))
    grey.convert(mode, palette=Image.Palette.ADAPTIVE).save(path)
    image = LoadImageOrRaise()({'img_path': str(path)})['img']
    assert image.shape == (6, 8, 3)
    # Black and white know no 250.
    assert 249 <= image.min() == image.max()
