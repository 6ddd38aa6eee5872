import re

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from wsss_plugin.datasets.coco_masks import draw_mask, is_drawable


def _square(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


# Runs count down the columns, starting with background.
_CROWD = {'size': [8, 10], 'counts': [0, 80]}
_INSTANCES = [
    {'category_id': 5, 'area': 4, 'segmentation': _square(3, 3, 5, 5)},
    {'category_id': 2, 'area': 16, 'segmentation': _square(2, 2, 6, 6)},
    {'category_id': 2, 'area': 80, 'iscrowd': 1, 'segmentation': _CROWD},
]


@pytest.mark.parametrize(('crowd_label', 'outside'), [(-1, 1), (255, 255)])
def test_small_on_large_on_crowd(crowd_label, outside):
    mask = draw_mask(8, 10, _INSTANCES, {2: 1, 5: 2, 9: 3}, crowd_label)
    expected = np.full((8, 10), outside, np.uint8)
    expected[2:6, 2:6] = 1
    expected[3:5, 3:5] = 2
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, expected)


def test_no_instances():
    assert np.array_equal(draw_mask(3, 4, [], {}), np.zeros((3, 4)))


@pytest.mark.parametrize(
    ('shape', 'drawable'),
    [
        (_square(3, 3, 5, 5), True),
        (_CROWD, True),
        ({'size': [8, 10], 'counts': '`2'}, True),
        ({'size': [8, 10], 'counts': '_2'}, False),
        ({'size': [8, 10], 'counts': ''}, False),
        ({'size': [8, 10], 'counts': 'compressed'}, False),
        ({'size': [8, 10], 'counts': 'o' * 99}, False),
        ({'size': [8, 10], 'counts': '`2\0'}, False),
        ({'size': [8, 10], 'counts': [0.5, 79.5]}, False),
        ({'size': [8, 10], 'counts': ['0', '80']}, False),
        ([[0, 0, 1e300, 0, 5, 5]], False),
        ([[0, 0, 10**400, 0, 5, 5]], False),
        ([[0, 0, float('nan'), 0, 5, 5]], False),
        ([[True, 0, 4, 0, 4, 4]], False),
        ({'size': [10, 8], 'counts': [0, 80]}, False),
        ({'size': [8, 10], 'counts': [0, 79]}, False),
        ([], False),
        ([[3, 3, 5, 5]], False),
        ('polygon', False),
    ],
)
def test_what_can_be_drawn(shape, drawable):
    assert is_drawable(shape, 8, 10) is drawable


def test_long_and_short_runs_in_letters():
    """Runs of several letters, and differences below zero."""
    draw = np.random.default_rng(0)
    for height, width in ((8, 10), (60, 70), (200, 300)):
        mask = (draw.random((height, width)) < 0.02).astype(np.uint8)
        mask[: height // 2, : width // 2] = 1
        text = coco_mask.encode(np.asfortranarray(mask))['counts'].decode()
        shape = {'size': [height, width], 'counts': text}
        assert is_drawable(shape, height, width)
        instance = {'category_id': 4, 'area': 1, 'segmentation': shape}
        assert np.array_equal(draw_mask(height, width, [instance], {4: 3}), 3 * mask)
        # A run less at the end leaves pixels over.
        end = re.search('[P-o]*[0-O]$', text).start()
        assert not is_drawable({**shape, 'counts': text[:end]}, height, width)
