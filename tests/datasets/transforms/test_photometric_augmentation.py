from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter, ImageOps

from wsss_plugin.datasets.transforms import PhotometricAugmentation

_OFF = {'jitter_prob': 0, 'grey_prob': 0, 'blur_prob': 0, 'solarise_prob': 0}


@pytest.fixture
def picture():
    noise = np.random.default_rng(0).integers(0, 255, (20, 24, 3), np.uint8)
    return Image.fromarray(noise)


def test_switched_off_changes_nothing(picture):
    assert np.array_equal(PhotometricAugmentation(**_OFF)(picture), picture)


def test_blur_is_pillows_gaussian(picture):
    augment = PhotometricAugmentation(**{**_OFF, 'blur_prob': 1}, blur_radius=(1.5, 1.5))
    assert np.array_equal(augment(picture), picture.filter(ImageFilter.GaussianBlur(1.5)))


def test_solarise_inverts_from_the_threshold(picture):
    augment = PhotometricAugmentation(**{**_OFF, 'solarise_prob': 1})
    assert np.array_equal(augment(picture), ImageOps.solarize(picture, 128))


def test_grey_keeps_three_equal_channels(picture):
    grey = np.asarray(PhotometricAugmentation(**{**_OFF, 'grey_prob': 1})(picture))
    assert grey.shape == (20, 24, 3)
    assert (grey == grey[..., :1]).all()
    assert np.array_equal(grey[..., 0], np.asarray(picture.convert('L')))


def test_jitter_probability(picture):
    torch.manual_seed(0)
    augment = PhotometricAugmentation(**{**_OFF, 'jitter_prob': 0.8})
    changed = np.mean([not np.array_equal(augment(picture), picture) for _ in range(200)])
    assert 0.7 < changed < 0.9


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'jitter_prob': 2}, 'jitter_prob: expected'),
        ({'grey_prob': -1}, 'grey_prob: expected'),
        ({'blur_prob': 1.5}, 'blur_prob: expected'),
        ({'solarise_prob': 3}, 'solarise_prob: expected'),
        ({'jitter': (0.1,)}, 'jitter: expected four strengths'),
        ({'blur_radius': (2, 1)}, 'blur_radius: expected'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        PhotometricAugmentation(**arguments)
