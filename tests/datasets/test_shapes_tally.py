import numpy as np
import pytest

from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.datasets.shapes_tally import ShapesTally


@pytest.fixture(scope='module')
def generator():
    return ShapesGenerator(ShapesConfig(size=64))


def test_nothing_counted(generator):
    summary = ShapesTally(generator).summary()
    assert summary['images'] == 0
    assert set(summary['images_per_class']) == set(generator.CLASSES)
    assert not any(summary['images_per_class'].values())
    assert summary['foreground_share'] is None
    assert summary['small_part_ratio_max'] is None


def test_counts_and_means(generator):
    tally = ShapesTally(generator)
    scenes = [generator.scene('train', index) for index in range(12)]
    for scene in scenes:
        tally.add(scene)
    summary = tally.summary()
    assert summary['images'] == 12
    assert sum(summary['objects_per_image'].values()) == 12
    assert sum(summary['images_per_class'].values()) == sum(len(set(s.labels)) for s in scenes)
    assert sum(summary['images_per_background'].values()) == 12
    share = np.mean([(scene.mask > 0).mean() for scene in scenes])
    assert summary['foreground_share'] == pytest.approx(share, abs=1e-4)
    first = [scene for scene in scenes if 0 in scene.labels]
    water = np.mean([scene.background == 'water' for scene in first])
    name = generator.CLASSES[0]
    assert summary['water_share_per_class'][name] == pytest.approx(water, abs=1e-4)


def test_a_group_that_no_scene_has_has_no_mean(generator):
    scenes = (generator.scene('val', index) for index in range(99))
    plain = next(scene for scene in scenes if scene.groups == ('plain',))
    tally = ShapesTally(generator)
    tally.add(plain)
    summary = tally.summary()
    assert summary['camouflage_distance_mean'] is None
    assert summary['other_distance_mean'] > 0
