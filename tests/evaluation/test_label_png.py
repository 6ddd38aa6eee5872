import numpy as np
import pytest
from PIL import Image

from wsss_plugin.errors import DataError
from wsss_plugin.evaluation.label_png import save_label_png

LABEL = np.array([[0, 1, 2], [254, 255, 7]], dtype=np.uint8)


@pytest.mark.parametrize('palette', [None, []])
@pytest.mark.parametrize('dtype', [np.uint8, np.int64])
def test_values_come_back(tmp_path, dtype, palette):
    save_label_png(tmp_path / 'a.png', LABEL.astype(dtype), palette)
    image = Image.open(tmp_path / 'a.png')
    assert image.mode == 'L'
    assert np.array_equal(np.asarray(image), LABEL)


def test_a_palette_changes_colours_and_not_values(tmp_path):
    save_label_png(tmp_path / 'a.png', LABEL, [[0, 0, 0], [9, 8, 7], [250, 0, 1]])
    image = Image.open(tmp_path / 'a.png')
    assert image.mode == 'P'
    assert np.array_equal(np.asarray(image), LABEL)
    assert image.convert('RGB').getpixel((1, 0)) == (9, 8, 7)
    assert image.convert('RGB').getpixel((2, 0)) == (250, 0, 1)


def test_more_than_256_colours_are_cut(tmp_path):
    save_label_png(tmp_path / 'a.png', LABEL, [[index % 256] * 3 for index in range(300)])
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'a.png')), LABEL)


def test_a_view_that_is_not_contiguous(tmp_path):
    save_label_png(tmp_path / 'a.png', LABEL.T)
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'a.png')), LABEL.T)


@pytest.mark.parametrize('value', [256, 300, 65_536 + 1, -1])
def test_what_does_not_fit_is_refused_and_not_wrapped(tmp_path, value):
    label = np.array([[0, value]])
    with pytest.raises(DataError, match=rf'a\.png: expected labels .* 255 .*received {value}'):
        save_label_png(tmp_path / 'a.png', label)
    assert not (tmp_path / 'a.png').exists()
