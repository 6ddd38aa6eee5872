import numpy as np
import pytest

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
