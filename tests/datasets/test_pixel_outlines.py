from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from wsss_plugin.datasets.pixel_outlines import pixel_outlines


def _filled(polygons, height, width):
    if not polygons:
        return np.zeros((height, width), bool)
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))) > 0


def _mask(*rows):
    return np.array([[letter == '#' for letter in row] for row in rows])


@pytest.mark.parametrize(
    ('mask', 'number'),
    [
        (_mask('...', '...'), 0),
        (_mask('#'), 1),
        (_mask('###', '###'), 1),
        (_mask('#.', '.#'), 2),  # touch at a corner
        (_mask('##.', '#.#', '###'), 1),  # the gap is open at a corner
        (_mask('###', '#.#', '###'), 2),  # a hole: a bar and an arch
        (_mask('###', '#.#', '##.'), 1),
        (_mask('#####', '#.#.#', '#####', '#.###', '#####'), 3),
        (_mask('#####', '#...#', '#.#.#', '#...#', '#####'), 3),  # an island
        (_mask('####', '#.##', '##.#', '####'), 2),  # one hole of two pixels
    ],
)
def test_the_same_pixels(mask, number):
    polygons = pixel_outlines(mask)
    assert len(polygons) == number
    assert np.array_equal(_filled(polygons, *mask.shape), mask)


def test_random_masks():
    draw = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.8, 0.95):
        for _ in range(10):
            height, width = draw.integers(1, 24, 2)
            mask = draw.random((height, width)) < share
            polygons = pixel_outlines(mask)
            assert np.array_equal(_filled(polygons, height, width), mask)
            # Each is an area of its own.
            sizes = [_filled([polygon], height, width).sum() for polygon in polygons]
            assert sum(sizes) == mask.sum()


def test_large_coordinates_and_a_noisy_area():
    mask = np.zeros((700, 900), bool)
    mask[600:, 700:] = np.random.default_rng(1).random((100, 200)) < 0.9
    assert np.array_equal(_filled(pixel_outlines(mask), *mask.shape), mask)


def test_another_program_fills_the_same_pixels():
    mask = np.random.default_rng(2).random((14, 17)) < 0.7
    canvas = Image.new('1', (17 * 8, 14 * 8))
    for polygon in pixel_outlines(mask):
        # Pillow draws whole pixels: it is asked at eight times the size.
        ImageDraw.Draw(canvas).polygon([8 * number for number in polygon], fill=1)
    assert np.array_equal(np.asarray(canvas)[4::8, 4::8], mask)


def test_corners_only():
    assert pixel_outlines(_mask('....', '.##.', '.##.')) == [[3, 1, 3, 3, 1, 3, 1, 1]]
    (polygon,) = pixel_outlines(_mask('#.', '##'))
    assert polygon == [1, 0, 1, 1, 2, 1, 2, 2, 0, 2, 0, 0]
    # As JSON takes them.
    assert all(type(number) is int for number in polygon)
