import numpy as np
import pytest

from wsss_plugin.datasets import LoadImageBands
from wsss_plugin.errors import ConfigError, DataError

tifffile = pytest.importorskip('tifffile')


@pytest.fixture
def write(tmp_path):
    def write(values):
        path = tmp_path / 'a.tif'
        tifffile.imwrite(path, values, photometric='minisblack', planarconfig='contig')
        return {'img_path': str(path)}

    return write


def test_values_are_brought_to_the_scale_of_8_bits_and_cut(write):
    values = np.array([[[0, 1000, 3000, 9000]]], np.uint16)
    results = LoadImageBands(in_channels=4, value_range=(1000, 5000))(write(values))
    assert results['img'].dtype == np.float32
    np.testing.assert_allclose(results['img'], [[[0, 0, 127.5, 255]]])
    assert results['img_shape'] == results['ori_shape'] == (1, 1)


def test_each_band_may_have_a_range_and_bands_are_chosen_in_order(write):
    values = np.array([[[0.0, 0.5, -2.0, 4.0, 7.0]]], np.float32)
    load = LoadImageBands(in_channels=2, value_range=((0, 8), (-3, -1)), bands=(3, 2))
    np.testing.assert_allclose(load(write(values))['img'], [[[127.5, 127.5]]])


def test_8_bits_stay_as_they_are_and_others_are_refused_without_a_range(write):
    values = np.arange(4, dtype=np.uint8).reshape(1, 1, 4)
    loaded = LoadImageBands(in_channels=4)(write(values))['img']
    assert loaded.dtype == np.uint8
    assert np.array_equal(loaded, values)
    for dtype in (np.uint16, np.float32):
        with pytest.raises(DataError, match=r'a\.tif.*from 0.*to 3.*value_range=\(low, high\)'):
            LoadImageBands(in_channels=4)(write(values.astype(dtype)))


def test_other_bands_than_expected_are_refused(write):
    sample = write(np.zeros((2, 2, 4), np.uint8))
    with pytest.raises(DataError, match=r'expected 5 bands.*received 4'):
        LoadImageBands(in_channels=5)(sample)
    with pytest.raises(DataError, match=r'up to index 4.*received 4 bands'):
        LoadImageBands(in_channels=2, bands=(0, 4))(sample)


def test_values_that_are_no_numbers_are_refused(write):
    values = np.zeros((2, 2, 4), np.float32)
    values[0, 0, 1] = np.nan
    with pytest.raises(DataError, match='received 1 that are not finite'):
        LoadImageBands(in_channels=4, value_range=(0, 1))(write(values))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'in_channels': 0}, 'in_channels'),
        ({'in_channels': 4, 'reader': 'cv2'}, 'reader'),
        ({'in_channels': 4, 'bands': (0, 1)}, '4 indices'),
        ({'in_channels': 4, 'value_range': (3, 3)}, 'low < high'),
        ({'in_channels': 4, 'value_range': 255}, 'low < high'),
        ({'in_channels': 4, 'value_range': ((0, 1),) * 3}, 'each of 4 bands'),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        LoadImageBands(**arguments)
