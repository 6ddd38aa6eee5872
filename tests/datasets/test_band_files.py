import sys

import numpy as np
import pytest

from wsss_plugin.datasets.band_files import read_bands, require_reader
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError

tifffile = pytest.importorskip('tifffile')


def _bands(channels=5, dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 200, (6, 9, channels)).astype(dtype)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize('channels', [4, 5])
def test_bands_are_last_however_the_file_keeps_them(tmp_path, dtype, channels):
    image = _bands(channels, dtype)
    planes = np.moveaxis(image, -1, 0)
    by_pixel, by_plane, pages = (tmp_path / f'{name}.tif' for name in ('pixel', 'plane', 'pages'))
    tifffile.imwrite(by_pixel, image, photometric='minisblack', planarconfig='contig')
    tifffile.imwrite(by_plane, planes, photometric='minisblack', planarconfig='separate')
    tifffile.imwrite(pages, planes, photometric='minisblack')
    for path in (by_pixel, by_plane, pages):
        read = read_bands(path)
        assert read.dtype == dtype
        assert np.array_equal(read, image), path


def test_a_single_band_has_one_channel(tmp_path):
    tifffile.imwrite(tmp_path / 'a.tif', _bands()[..., 0])
    assert np.array_equal(read_bands(tmp_path / 'a.tif'), _bands()[..., :1])


def test_rasterio_reads_the_same(tmp_path):
    pytest.importorskip('rasterio')
    tifffile.imwrite(tmp_path / 'a.tif', _bands(), photometric='minisblack', planarconfig='contig')
    assert np.array_equal(read_bands(tmp_path / 'a.tif', 'rasterio'), _bands())


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r'none\.tif'):
        read_bands(tmp_path / 'none.tif')
    whole = tmp_path / 'whole.tif'
    tifffile.imwrite(whole, _bands(), photometric='minisblack', planarconfig='contig')
    (tmp_path / 'cut.tif').write_bytes(whole.read_bytes()[:-200])
    (tmp_path / 'text.tif').write_text('no image')
    for name in ('cut.tif', 'text.tif'):
        with pytest.raises(DamagedFileError, match=rf"{name}.*reader='rasterio'"):
            read_bands(tmp_path / name)
    tifffile.imwrite(
        tmp_path / 'two.tif', np.zeros((2, 6, 9, 4), np.uint8), photometric='minisblack'
    )
    with pytest.raises(DataError, match='one image per file'):
        read_bands(tmp_path / 'two.tif')


@pytest.mark.parametrize('name', ['tifffile', 'rasterio'])
def test_a_missing_reader_is_named_with_its_remedy(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f'pip install {name}'):
        require_reader(name)
