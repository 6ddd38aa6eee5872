from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_plugin.datasets.transforms import ViewRecipe
from wsss_plugin.ops import ViewGeometry

FRAME = ViewGeometry.of_frame((20, 32))


@pytest.fixture
def picture():
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 3), np.uint8)
    return Image.fromarray(noise)


def test_the_source_itself(picture):
    state = torch.get_rng_state()
    view, geometry = ViewRecipe()(picture, FRAME, (20, 32))
    assert np.array_equal(view, picture)
    assert geometry == FRAME
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_resized_and_mirrored(picture, interpolation):
    recipe = ViewRecipe(scale=0.75, flip=True, interpolation=interpolation)
    view, geometry = recipe(picture, FRAME, (20, 32))
    expected = picture.resize((24, 15), Image.Resampling[interpolation.upper()])
    assert np.array_equal(view, np.asarray(expected)[:, ::-1])
    assert geometry == FRAME.part((0, 20, 0, 32), flip=True, size=(15, 24))


def test_without_geometry(picture):
    view, geometry = ViewRecipe(area=(0.3, 0.3))(picture, None, (8, 8))
    assert view.size == (8, 8)
    assert geometry is None


def test_random_part(picture):
    torch.manual_seed(0)
    recipe = ViewRecipe(area=(0.2, 0.4), ratio=(1, 1))
    for _ in range(30):
        _, geometry = recipe(picture, FRAME, (16, 16))
        row0, row1, col0, col1 = geometry.box
        assert abs((row1 - row0) - (col1 - col0)) <= 1
        assert 0.15 < (row1 - row0) * (col1 - col0) / (20 * 32) < 0.45
        assert row0 >= 0
        assert col1 <= 32


def test_probability_of_the_mirror(picture):
    torch.manual_seed(0)
    flips = [ViewRecipe(flip=0.25)(picture, FRAME, (20, 32))[1].flip for _ in range(400)]
    assert 0.18 < np.mean(flips) < 0.32


def test_colours_come_last(picture):
    sizes = []

    def colour(view):
        sizes.append(view.size)
        return view

    ViewRecipe(scale=0.5, photometric=colour)(picture, FRAME, (20, 32))
    assert sizes == [(16, 10)]


def test_a_view_has_at_least_one_pixel(picture):
    assert ViewRecipe(scale=0.001)(picture, FRAME, (20, 32))[0].size == (1, 1)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'of': None}, r'views\.a\.of: expected'),
        ({'scale': -1}, r'views\.a\.scale: expected a positive number'),
        ({'scale': float('nan')}, r'views\.a\.scale: expected a positive number'),
        ({'flip': 1.5}, r'views\.a\.flip: expected True, False or a probability'),
        ({'area': (0.5, 1.2)}, r'views\.a\.area: expected at most 1'),
        ({'area': (0.5,)}, r'views\.a\.area: expected 0 < smallest'),
        ({'ratio': (2, 1)}, r'views\.a\.ratio: expected 0 < smallest'),
        ({'interpolation': 'nearest'}, r'views\.a\.interpolation: expected'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ViewRecipe(**arguments, key='views.a')
