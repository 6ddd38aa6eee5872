from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from mmseg.registry import TRANSFORMS
from PIL import Image, ImageEnhance, ImageOps

from wsss_plugin.datasets.transforms import RandomPhotometricOperations


@pytest.fixture
def picture():
    noise = np.random.default_rng(0).integers(30, 200, (20, 24, 3), np.uint8)
    return Image.fromarray(noise)


def _published(picture: Image.Image) -> dict[str, Image.Image]:
    """DuPL's operations at magnitude 10 of 30."""
    return {
        'autocontrast': ImageOps.autocontrast(picture),
        'equalise': ImageOps.equalize(picture),
        'posterise': ImageOps.posterize(picture, 2),
        'colour': ImageEnhance.Color(picture).enhance(0.7),
        'contrast': ImageEnhance.Contrast(picture).enhance(0.7),
        'brightness': ImageEnhance.Brightness(picture).enhance(0.7),
        'sharpness': ImageEnhance.Sharpness(picture).enhance(0.7),
    }


def test_published_operations_and_magnitudes(picture):
    default = RandomPhotometricOperations()
    assert default.num == 5
    assert set(default.operations) == set(_published(picture))
    for name, expected in _published(picture).items():
        received = RandomPhotometricOperations(num=1, operations=(name,))(picture)
        assert np.array_equal(received, expected)
        assert not np.array_equal(received, picture)


def test_operations_follow_each_other(picture):
    torch.manual_seed(0)
    received = RandomPhotometricOperations(num=3, operations=('posterise', 'colour'))(picture)
    torch.manual_seed(0)
    expected = picture
    for index in torch.randint(2, (3,)).tolist():
        expected = _published(expected)[('posterise', 'colour')[index]]
    assert np.array_equal(received, expected)


def test_every_operation_is_drawn(picture):
    single = {name: np.asarray(one).tobytes() for name, one in _published(picture).items()}
    torch.manual_seed(0)
    drawn = {RandomPhotometricOperations(num=1)(picture).tobytes() for _ in range(100)}
    assert drawn == set(single.values())


def test_strength(picture):
    none = RandomPhotometricOperations(num=0)
    assert none(picture) is picture
    weak = RandomPhotometricOperations(num=1, magnitude=1, levels=3, operations=('posterise',))
    assert np.array_equal(weak(picture), ImageOps.posterize(picture, 2))
    nothing = RandomPhotometricOperations(num=1, magnitude=0, operations=('posterise',))
    assert np.array_equal(nothing(picture), ImageOps.posterize(picture, 1))
    same = RandomPhotometricOperations(num=1, magnitude=1, levels=2, operations=('contrast',))
    assert np.array_equal(same(picture), picture)


@pytest.mark.parametrize('name', RandomPhotometricOperations().operations)
def test_one_pixel(name):
    pixel = Image.new('RGB', (1, 1), (200, 100, 50))
    received = RandomPhotometricOperations(num=1, operations=(name,))(pixel)
    assert np.array_equal(received, _published(pixel)[name])


def test_registered_and_travels_between_processes(picture):
    strong = TRANSFORMS.build(dict(type='RandomPhotometricOperations', num=2))
    copied = pickle.loads(pickle.dumps(strong))
    torch.manual_seed(0)
    expected = strong(picture)
    torch.manual_seed(0)
    assert np.array_equal(copied(picture), expected)
    assert 'num=2' in repr(strong)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'num': -1}, 'num: expected'),
        ({'num': 1.5}, 'num: expected'),
        ({'magnitude': 31}, r'magnitude: expected a value from 0 to levels \(30\)'),
        ({'levels': 0}, 'magnitude: expected'),
        ({'operations': ()}, 'operations: expected some of'),
        ({'operations': ('rotate',)}, 'operations: expected some of'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomPhotometricOperations(**arguments)
