from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from wsss_plugin.ops.pictures import resize_as_picture

MEAN, STD = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])


def normalised(picture):
    channels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)
    return ((channels - MEAN.view(3, 1, 1)) / STD.view(3, 1, 1))[None]


@pytest.mark.parametrize('size', [(46, 60), (70, 90), (116, 150), (1, 1)])
def test_equals_pillow(size):
    noise = np.random.default_rng(0).integers(0, 256, (58, 75, 3), np.uint8)
    picture = Image.fromarray(noise)
    expected = normalised(picture.resize(size[::-1], Image.Resampling.BICUBIC))
    received = resize_as_picture(normalised(picture), size, MEAN, STD)
    levels = (received - expected).abs() * STD.view(3, 1, 1)
    assert levels.max() < 1.001
    assert (levels > 0.5).float().mean() < 2e-3


def test_the_same_size_changes_nothing():
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    image = normalised(noise)
    assert_close(resize_as_picture(image, (5, 7), MEAN, STD), image, atol=1e-5, rtol=0)


def test_a_picture_of_one_pixel():
    image = normalised(np.full((1, 1, 3), 9, np.uint8))
    assert_close(resize_as_picture(image, (3, 2), MEAN, STD), image.expand(1, 3, 3, 2))
