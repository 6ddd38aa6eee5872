from types import SimpleNamespace

import numpy as np
import pytest

from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.datasets.shapes_scene import ShapesScene
from wsss_plugin.datasets.shapes_tally import ShapesTally

_CLASSES = ShapesGenerator.CLASSES
_BACKGROUNDS = ('noise', 'stripes', 'blobs', 'gradient', 'water')


def _scene(labels, groups, background, height=2, part=1):
    """Objects side by side, each of two columns, with some pixels of their parts."""
    instances, parts = np.zeros((4, 8), np.uint8), np.zeros((4, 8), bool)
    mask = np.zeros((4, 8), np.uint8)
    for index, label in enumerate(labels):
        area = np.s_[:height, 2 * index : 2 * index + 2]
        instances[area], mask[area] = index + 1, label + 1
        parts[0, 2 * index : 2 * index + part] = True
    image = np.zeros((4, 8, 3), np.uint8)
    return ShapesScene(image, mask, instances, parts, labels, groups, background)


def _tally(distances=()):
    """Of a generator that measures known distances, scene by scene."""
    measured = iter(distances)
    generator = SimpleNamespace(
        CLASSES=_CLASSES,
        GROUPS=ShapesGenerator.GROUPS,
        config=SimpleNamespace(max_objects=3),
        colour_distances=lambda _: next(measured),
    )
    return ShapesTally(generator)


def _by_class(values, others):
    return {name: values.get(index, others) for index, name in enumerate(_CLASSES)}


def test_nothing_counted():
    assert _tally().summary() == {
        'images': 0,
        'objects_per_image': {'1': 0, '2': 0, '3': 0},
        'images_per_class': _by_class({}, 0),
        'images_per_group': dict.fromkeys(ShapesGenerator.GROUPS, 0),
        'images_per_background': dict.fromkeys(_BACKGROUNDS, 0),
        'water_share_per_class': _by_class({}, None),
        'camouflage_share_per_class': _by_class({}, None),
        'foreground_share': None,
        'small_part_ratio_mean': None,
        'small_part_ratio_max': None,
        'large_part_ratio_mean': None,
        'camouflage_distance_mean': None,
        'other_distance_mean': None,
    }


def test_counts_and_means_by_hand():
    tally = _tally([[40.0], [10.0, 20.0], [30.0]])
    tally.add(_scene((0,), ('plain',), 'noise', part=2))
    tally.add(_scene((0, 2), ('camouflage', 'over_activation'), 'water'))
    tally.add(_scene((5,), ('partial_activation',), 'noise', height=4))
    assert tally.summary() == {
        'images': 3,
        'objects_per_image': {'1': 2, '2': 1, '3': 0},
        'images_per_class': _by_class({0: 2, 2: 1, 5: 1}, 0),
        'images_per_group': {
            'camouflage': 1,
            'over_activation': 1,
            'partial_activation': 1,
            'plain': 1,
        },
        'images_per_background': dict(zip(_BACKGROUNDS, (2, 0, 0, 0, 1), strict=True)),
        'water_share_per_class': _by_class({0: 0.5, 2: 1.0, 5: 0.0}, None),
        'camouflage_share_per_class': _by_class({0: 0.5, 2: 1.0, 5: 0.0}, None),
        # 4, 8 and 8 of 32 pixels.
        'foreground_share': pytest.approx(20 / 96, abs=1e-4),
        # One of eight pixels; two of four and twice one of four.
        'small_part_ratio_mean': 0.125,
        'small_part_ratio_max': 0.125,
        'large_part_ratio_mean': pytest.approx(1 / 3, abs=1e-4),
        'camouflage_distance_mean': 15.0,
        'other_distance_mean': 35.0,
    }
