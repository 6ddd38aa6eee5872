from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_plugin.datasets.transforms import RandomScaleCropWithBox
from wsss_plugin.datasets.transforms.random_scale_crop_with_box import (
    as_size,
    crop_with_box,
    flip_box,
    resize,
)

_SAVED = Path(__file__).parents[2] / 'data' / 'random_crop.npz'


def _coded(height: int, width: int) -> np.ndarray:
    """An image whose pixels say where they are: (row + 1, column + 1, 7)."""
    rows, cols = np.mgrid[1 : height + 1, 1 : width + 1].astype(np.uint8)
    return np.stack([rows, cols, np.full_like(rows, 7)], axis=-1)


def _column(offset: int, shape: tuple[int, int], flip: bool) -> int:
    return shape[1] - 1 - offset if flip else offset


@pytest.fixture(scope='module')
def saved():
    return np.load(_SAVED)


@pytest.mark.parametrize('case', range(3))
def test_scaling_equals_reference(saved, case):
    source = saved['scale_in']
    ratio = saved['scale_ratios'][case]
    height, width = (int(ratio * side) for side in source.shape[:2])
    assert np.array_equal(resize(source, height, width), saved[f'scaled_{case}'])


@pytest.mark.parametrize('case', range(5))
def test_crop_and_box_equal_reference(saved, case):
    size = int(saved['crop_size'])
    height, width = (int(side) for side in saved[f'size_{case}'])
    crop, box = saved[f'crop_{case}'], saved[f'box_{case}']
    # The coordinates in the reference's crop tell which offsets it drew.
    corner = crop[box[0], box[2], :2].astype(int) - 1
    pads = [int(box[0]) if height < size else 0, int(box[2]) if width < size else 0]
    starts = [int(corner[0]), int(corner[1])]
    mine, mine_box = crop_with_box(_coded(height, width), (size, size), pads, starts)
    assert np.array_equal(mine, crop)
    assert mine_box == tuple(box)


@pytest.mark.parametrize('shape', [(20, 50), (60, 24), (60, 60), (20, 24), (32, 32), (1, 1)])
@pytest.mark.parametrize('flip_prob', [0, 1])
def test_box_and_flip_follow_the_image(shape, flip_prob):
    torch.manual_seed(0)
    transform = RandomScaleCropWithBox((32, 40), (1, 1), flip_prob, seg_pad_val=255)
    for _ in range(20):
        image = _coded(*shape)
        results = transform({'img': image, 'gt_seg_map': image[..., 1].copy()})
        crop, (row0, row1, col0, col1) = results['img'], results['box']
        assert crop.shape == (32, 40, 3)
        inside = np.zeros(crop.shape[:2], bool)
        inside[row0:row1, col0:col1] = True
        assert np.array_equal(crop[..., 2] == 7, inside)
        assert (crop[~inside] == 0).all()
        assert np.array_equal(results['gt_seg_map'][inside], crop[..., 1][inside])
        assert (results['gt_seg_map'][~inside] == 255).all()
        steps = np.diff(crop[row0:row1, col0:col1, 1].astype(int), axis=1)
        assert (steps == (-1 if flip_prob else 1)).all()
        assert results['flip'] == bool(flip_prob)
        assert results['flip_direction'] == ('horizontal' if flip_prob else None)
        assert results['ori_img'] is image
        top, bottom, left, right = results['image_box']
        assert (bottom - top, right - left) == shape
        assert (max(top, 0), min(bottom, 32)) == (row0, row1)
        assert (max(left, 0), min(right, 40)) == (col0, col1)
        # The pixels say which row and column of the image, from 1 on, they are.
        assert (
            crop[row0, col0, :2] - 1 == (row0 - top, _column(col0 - left, shape, flip_prob))
        ).all()
        assert results['img_shape'] == results['pad_shape'] == (32, 40)


def test_offsets_reach_every_place():
    torch.manual_seed(0)
    transform = RandomScaleCropWithBox(8, (1, 1), 0)
    small = {transform({'img': _coded(6, 6)})['box'] for _ in range(200)}
    assert small == {(r, r + 6, c, c + 6) for r in range(3) for c in range(3)}
    large = {tuple(transform({'img': _coded(10, 9)})['img'][0, 0, :2]) for _ in range(200)}
    assert large == {(r, c) for r in range(1, 4) for c in range(1, 3)}


def test_scale_range_and_factor():
    torch.manual_seed(0)
    transform = RandomScaleCropWithBox(400, (0.5, 2.0), 0)
    heights = []
    for _ in range(60):
        results = transform({'img': _coded(100, 60)})
        row0, row1, col0, col1 = results['box']
        assert results['scale_factor'] == ((col1 - col0) / 60, (row1 - row0) / 100)
        heights.append(row1 - row0)
    assert 50 <= min(heights) < 65
    assert 180 < max(heights) <= 200


def test_padding_per_channel():
    crop, _ = crop_with_box(np.ones((1, 1, 3), np.uint8), (2, 2), (0, 0), (0, 0), (4, 5, 6))
    assert crop.tolist() == [[[1, 1, 1], [4, 5, 6]], [[4, 5, 6], [4, 5, 6]]]


def test_flip_box_twice_is_the_same():
    assert flip_box(flip_box((1, 2, 3, 9), 32), 32) == (1, 2, 3, 9)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'crop_size': 0}, 'crop_size: expected one or two positive integers'),
        ({'crop_size': (3, 4, 5)}, 'crop_size'),
        ({'scale_range': (2, 0.5)}, 'scale_range: expected 0 < smallest <= largest'),
        ({'flip_prob': 1.1}, 'flip_prob: expected a value from 0 to 1'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomScaleCropWithBox(**arguments)


def test_as_size():
    assert as_size((3, 4), 'x') == (3, 4)
    with pytest.raises(ValueError, match='x: expected'):
        as_size((3, -4), 'x')
