from __future__ import annotations

import pytest

from wsss_plugin.datasets.shapes_config import ShapesConfig


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'train': -1}, 'train: expected at least 0'),
        ({'size': 16}, 'size: expected at least 32'),
        ({'seed': -2}, 'seed: expected at least 0'),
        ({'max_objects': 4}, 'max_objects: expected a value from 1 to 3, received 4'),
        ({'camouflage_rate': 1.5}, 'camouflage_rate: expected a value from 0 to 1'),
        ({'min_diameter': 51.0}, 'min_diameter <= max_diameter'),
        ({'max_part': 5.0}, 'min_part <= max_part'),
        ({'small_part_ratio': 0.25}, 'small_part_ratio <= large_part_ratio'),
        ({'camouflage_distance': 50.0}, 'camouflage_distance <= separation_distance'),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        ShapesConfig(**arguments)


@pytest.mark.parametrize('arguments', [{'train': 1.5}, {'size': True}, {'partial_rate': 'much'}])
def test_values_of_wrong_type(arguments):
    with pytest.raises(TypeError, match='expected'):
        ShapesConfig(**arguments)


def test_unit_follows_size():
    assert ShapesConfig(size=192).unit == 2
