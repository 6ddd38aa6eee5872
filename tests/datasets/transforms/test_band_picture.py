import numpy as np
import pytest
import torch
from PIL import Image

from wsss_plugin.datasets import MultiCropViews, RandomPhotometricOperations, RandomScaleCropWithBox
from wsss_plugin.datasets.transforms.band_picture import (
    as_rgb,
    blur_bands,
    jitter_bands,
    resize_bands,
    to_array,
    to_picture,
)
from wsss_plugin.errors import ConfigError


def _bands(channels=5, height=12, width=16):
    values = np.random.default_rng(0).random((height, width, channels), np.float32)
    return (255 * values).astype(np.float32)


def test_pictures_come_back():
    bands = _bands()
    assert np.array_equal(to_array(to_picture(bands)), bands)
    colours = bands[..., :3].astype(np.uint8)
    assert np.array_equal(to_array(to_picture(colours)), colours)
    assert to_picture(colours).getpixel((0, 0)) == tuple(colours[0, 0, ::-1])


def test_bands_are_resized_as_pillow_resizes_each():
    bands = _bands()
    resized = resize_bands(bands, 5, 7, Image.Resampling.BILINEAR)
    fourth = Image.fromarray(bands[..., 4]).resize((7, 5), Image.Resampling.BILINEAR)
    assert np.array_equal(resized[..., 4], np.asarray(fourth))


def test_people_see_three_bands_or_one_in_grey():
    bands = _bands()
    assert np.array_equal(as_rgb(bands), bands[..., :3].round().astype(np.uint8))
    assert np.array_equal(as_rgb(bands[..., :2])[..., 2], bands[..., 0].round())


def test_jitter_moves_all_bands_alike():
    picture = torch.full((5, 4, 4), 100.0)
    picture[:, 0, 0] = 120.0
    same = jitter_bands(picture, 0.0, 0.0)
    torch.testing.assert_close(same, picture)
    brighter = jitter_bands(picture, 0.2, 0.0)
    factor = float(brighter[0, 1, 1] / 100)
    assert 0.8 <= factor <= 1.2
    assert factor != 1
    torch.testing.assert_close(brighter, picture * factor)
    steeper = jitter_bands(picture, 0.0, 0.5)
    torch.testing.assert_close(steeper.mean(), picture.mean())
    distance = steeper[:, 0, 0] - steeper[:, 1, 1]
    assert torch.equal(distance, distance[:1].expand(5))
    assert not torch.isclose(distance[0], torch.tensor(20.0))


def test_a_blur_is_that_of_a_gaussian_and_fits_small_pictures():
    picture = torch.zeros(4, 21, 21)
    picture[:, 10, 10] = 1.0
    blurred = blur_bands(picture, 1.5)
    profile = torch.exp(-torch.arange(-5, 6.0).square() / (2 * 1.5**2))
    expected = torch.outer(profile, profile) / profile.sum() ** 2
    torch.testing.assert_close(blurred[3, 5:16, 5:16], expected)
    assert torch.equal(blur_bands(picture[:, :1], 2.0), picture[:, :1])


def test_views_of_bands_are_those_of_every_band():
    transform = MultiCropViews(
        view1=dict(jitter_prob=0, blur_prob=0),
        views=dict(local=None, view2=None, half=dict(of='view1', scale=0.5, flip=True)),
    )
    bands = _bands()
    views = transform({'img': bands, 'sample_seed': 0})['views']
    assert np.array_equal(views['view1'], bands)
    mean = bands.reshape(6, 2, 8, 2, 5).mean(axis=(1, 3))[:, ::-1]
    # An antialiased half is about the mean of four pixels.
    assert np.abs(views['half'] - mean)[1:-1, 1:-1].mean() < 30
    assert views['half'].shape == (6, 8, 5)
    assert np.corrcoef(views['half'].ravel(), mean.ravel())[0, 1] > 0.9


def test_bands_are_cropped_with_their_box():
    crop = RandomScaleCropWithBox(crop_size=24, scale_range=(1, 1), flip_prob=0)
    results = crop({'img': _bands()})
    row0, row1, col0, col1 = results['box']
    assert np.array_equal(results['img'][row0:row1, col0:col1], _bands())
    assert results['img'].sum() == pytest.approx(_bands().sum(), rel=1e-5)


def test_operations_on_colours_refuse_bands():
    with pytest.raises(ConfigError, match='received 5 bands'):
        RandomPhotometricOperations()(to_picture(_bands()))
