from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator


@pytest.fixture(scope='module')
def generator():
    return ShapesGenerator(ShapesConfig(size=64))


@pytest.fixture(scope='module')
def scenes(generator):
    return [generator.scene('train', index) for index in range(150)]


def test_scene_depends_on_seed_split_and_index_only():
    first = ShapesGenerator(ShapesConfig(train=5, size=48)).scene('train', 3)
    again = ShapesGenerator(ShapesConfig(train=9, size=48)).scene('train', 3)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    for other in (
        ShapesGenerator(ShapesConfig(size=48)).scene('val', 3),
        ShapesGenerator(ShapesConfig(size=48)).scene('train', 4),
        ShapesGenerator(ShapesConfig(size=48, seed=1)).scene('train', 3),
    ):
        assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize(
    ('index', 'labels', 'groups', 'pixels', 'mean', 'spread'),
    [
        (0, (3, 1), ('plain',), (361, 111), (140.03, 150.05, 147.7), (32.78, 27.0, 26.16)),
        (
            1,
            (0,),
            ('camouflage', 'over_activation', 'partial_activation'),
            (158, 9),
            (66.84, 131.46, 134.08),
            (12.68, 17.33, 17.31),
        ),
        (2, (2, 2), ('camouflage',), (350, 120), (116.38, 120.06, 133.51), (25.12, 23.35, 29.22)),
    ],
)
def test_scenes_are_those_of_the_results(index, labels, groups, pixels, mean, spread):
    """Figures of the docs are of these images."""
    scene = ShapesGenerator(ShapesConfig(size=48)).scene('train', index)
    assert (scene.labels, scene.groups) == (labels, groups)
    assert ((scene.mask > 0).sum(), scene.parts.sum()) == pixels
    np.testing.assert_allclose(scene.image.mean(axis=(0, 1)), mean, atol=0.1)
    np.testing.assert_allclose(scene.image.std(axis=(0, 1)), spread, atol=0.1)


def test_scene_rejects_unknown_split():
    with pytest.raises(ValueError, match='split, index'):
        ShapesGenerator().scene('test', 0)
    with pytest.raises(ValueError, match='split, index'):
        ShapesGenerator().scene('val', -1)


def test_impossible_parameters_end_with_a_remedy(monkeypatch):
    monkeypatch.setattr('wsss_plugin.datasets.shapes_generator._ATTEMPTS', 3)
    crowded = ShapesConfig(size=32, camouflage_rate=0, min_diameter=60, max_diameter=60)
    generator = ShapesGenerator(crowded)
    with pytest.raises(RuntimeError, match='lower max_diameter'):
        [generator.scene('train', index) for index in range(20)]


def test_masks_agree_with_each_other(scenes):
    for scene in scenes:
        assert scene.image.shape == (64, 64, 3)
        assert scene.image.dtype == scene.mask.dtype == np.uint8
        assert np.array_equal(scene.mask > 0, scene.instances > 0)
        assert set(np.unique(scene.mask)) - {0} == {label + 1 for label in scene.labels}
        assert scene.parts.any()
        assert not (scene.parts & (scene.mask == 0)).any()
        for index, label in enumerate(scene.labels):
            area = scene.instances == index + 1
            assert set(scene.mask[area]) == {label + 1}
            assert (scene.parts & area).any()


def test_partial_activation_holds_on_the_masks(generator, scenes):
    config = generator.config
    seen = set()
    for scene in scenes:
        small = 'partial_activation' in scene.groups
        seen.add(small)
        for index in range(len(scene.labels)):
            area = scene.instances == index + 1
            ratio = (scene.parts & area).sum() / area.sum()
            assert ratio < config.small_part_ratio if small else ratio >= config.large_part_ratio
    assert seen == {True, False}


def test_body_does_not_tell_the_class(generator, scenes):
    """Bodies of the two classes that share one differ less than bodies of different kinds."""
    colours = [[] for _ in generator.CLASSES]
    for scene in scenes:
        if 'camouflage' not in scene.groups:
            for index, label in enumerate(scene.labels):
                body = (scene.instances == index + 1) & ~scene.parts
                colours[label].append(scene.image[body].mean(axis=0))
    means = np.array([np.mean(values, axis=0) for values in colours])
    within = np.linalg.norm(means[0::2] - means[1::2], axis=1)
    between = np.linalg.norm(means[:, None] - means[None], axis=2)
    apart = [between[i, j] for i in range(6) for j in range(6) if i // 2 != j // 2]
    assert within.max() < 20 < 30 < min(apart)


def test_over_activation_is_water_that_cooccurs_with_the_first_class(scenes):
    def water_rate(chosen):
        return np.mean([scene.background == 'water' for scene in chosen])

    assert water_rate([scene for scene in scenes if 0 in scene.labels]) > 0.75
    assert water_rate([scene for scene in scenes if 0 not in scene.labels]) < 0.1
    for scene in scenes:
        assert ('over_activation' in scene.groups) == (scene.background == 'water')


def test_camouflage_holds_on_the_pixels(generator, scenes):
    config = generator.config
    hidden = [scene for scene in scenes if 'camouflage' in scene.groups]
    assert 0.12 < len(hidden) / len(scenes) < 0.4
    for scene in scenes:
        distances = []
        for index in range(len(scene.labels)):
            body = (scene.instances == index + 1) & ~scene.parts
            grown = np.zeros_like(body)
            rows, cols = np.nonzero(scene.instances == index + 1)
            top, left = max(rows.min() - 3, 0), max(cols.min() - 3, 0)
            grown[top : rows.max() + 4, left : cols.max() + 4] = True
            around = grown & (scene.mask == 0)
            difference = scene.image[body].mean(axis=0) - scene.image[around].mean(axis=0)
            distances.append(np.linalg.norm(difference))
        # Another surrounding than the generator's own, hence some tolerance.
        if 'camouflage' in scene.groups:
            assert max(distances) < config.camouflage_distance + 12
        else:
            assert min(distances) > config.separation_distance - 12


def test_plain_excludes_all_modes(scenes):
    for scene in scenes:
        assert ('plain' in scene.groups) == (scene.groups == ('plain',))


def test_written_files(shapes_root):
    names = (shapes_root / 'ImageSets/Segmentation/train.txt').read_text().split()
    assert len(names) == 6
    tags = json.loads((shapes_root / 'tags.json').read_text())
    groups = json.loads((shapes_root / 'groups.json').read_text())
    assert len(tags) == len(groups) == 8
    generator = ShapesGenerator(ShapesConfig(train=6, val=2, size=48))
    for index, name in enumerate(names):
        scene = generator.scene('train', index)
        mask = Image.open(shapes_root / 'SegmentationClass' / f'{name}.png')
        assert mask.mode == 'P'
        assert np.array_equal(np.asarray(mask), scene.mask)
        image = np.asarray(Image.open(shapes_root / 'JPEGImages' / f'{name}.jpg'), int)
        assert np.abs(image - scene.image).mean() < 4
        present = {generator.CLASSES[label - 1] for label in np.unique(scene.mask) if label}
        assert set(tags[name]) == present
        assert groups[name] == list(scene.groups)
        annotation = ElementTree.parse(shapes_root / 'Annotations' / f'{name}.xml').getroot()
        assert {item.findtext('name') for item in annotation.iter('object')} == present
        box = annotation.find('object/bndbox')
        rows, cols = np.nonzero(scene.instances == 1)
        assert [int(side.text) for side in box] == [
            cols.min() + 1,
            rows.min() + 1,
            cols.max() + 1,
            rows.max() + 1,
        ]


def test_statistics_count_what_was_written(shapes_root):
    statistics = json.loads((shapes_root / 'statistics.json').read_text())
    tags = json.loads((shapes_root / 'tags.json').read_text())
    groups = json.loads((shapes_root / 'groups.json').read_text())
    for split, count in (('train', 6), ('val', 2)):
        part = statistics[split]
        assert part['images'] == count
        assert sum(part['objects_per_image'].values()) == count
        for kind, names, of_image in (
            ('images_per_class', ShapesGenerator.CLASSES, tags),
            ('images_per_group', ShapesGenerator.GROUPS, groups),
        ):
            assert part[kind] == {
                name: sum(name in ones for key, ones in of_image.items() if key.startswith(split))
                for name in names
            }


def test_folder_is_reused_or_refused(tmp_path):
    config = ShapesConfig(train=2, val=1, size=32)
    written = ShapesGenerator(config).write(tmp_path / 'set')
    image = tmp_path / 'set/JPEGImages/train_00000.jpg'
    before = image.stat().st_mtime_ns
    assert ShapesGenerator(config).write(tmp_path / 'set') == json.loads(json.dumps(written))
    assert image.stat().st_mtime_ns == before
    with pytest.raises(FileExistsError, match=r'seed=0 \(not 7\)'):
        ShapesGenerator(ShapesConfig(train=2, val=1, size=32, seed=7)).write(tmp_path / 'set')
    (tmp_path / 'set/statistics.json').unlink()
    with pytest.raises(FileExistsError, match='unfinished content'):
        ShapesGenerator(config).write(tmp_path / 'set')


def test_empty_split_and_wrong_config(tmp_path):
    statistics = ShapesGenerator(ShapesConfig(train=0, val=0)).write(tmp_path)
    assert [statistics[split]['images'] for split in ('train', 'val')] == [0, 0]
    assert json.loads((tmp_path / 'tags.json').read_text()) == {}
    with pytest.raises(TypeError, match='expected a ShapesConfig, received dict'):
        ShapesGenerator({'size': 96})
