from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from wsss_plugin.datasets.coco_file import load_coco
from wsss_plugin.datasets.coco_masks import draw_mask
from wsss_plugin.datasets.coco_writing import coco_of_labels, label_annotations, labels_to_write
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import ConfigError, DamagedFileError, DataError, MissingFileError
from wsss_plugin.evaluation.label_png import save_label_png

_CLASSES = ['background', 'cat', 'dog']
_IGNORE = 200


def _label(seed, height=21, width=33):
    return np.random.default_rng(seed).choice([0, 0, 1, 2, _IGNORE], (height, width))


@pytest.fixture
def labels(tmp_path):
    """Frayed labels with holes, and one that is background only."""
    save_label_png(tmp_path / 'labels' / 'garden' / 'rex.1.png', _label(0))
    save_label_png(tmp_path / 'labels' / 'b.png', _label(1, 12, 16))
    save_label_png(tmp_path / 'labels' / 'empty.png', np.zeros((12, 16), np.uint8))
    content = dict(classes=_CLASSES, images=['garden/rex.1', 'b', 'empty'], ignore=_IGNORE)
    LabelManifest.write(tmp_path / 'labels', dict(content, version='0.3.0'))
    return LabelManifest.read(tmp_path / 'labels')


@pytest.mark.parametrize('components', [False, True])
@pytest.mark.parametrize('polygons', [False, True])
def test_the_same_pixels_are_drawn(polygons, components):
    label = _label(2)
    annotations = label_annotations(label, {1: 4, 2: 7, 9: 8}, polygons, components)
    drawn = draw_mask(*label.shape, annotations, {4: 1, 7: 2})
    decided = label != _IGNORE
    assert np.array_equal(drawn[decided], label[decided])
    assert not drawn[~decided].any()
    assert sum(one['area'] for one in annotations) == np.isin(label, (1, 2)).sum()
    assert (len(annotations) > 2) is components
    assert {isinstance(one['segmentation'], list) for one in annotations} == {polygons}


def test_an_annotation_for_each_group_that_touches():
    label = np.zeros((4, 6), np.uint8)
    label[0, 0] = label[1, 1] = label[3, 3:] = 5
    whole = label_annotations(label, {5: 1})
    parts = label_annotations(label, {5: 1}, components=True)
    assert [one['area'] for one in whole] == [5]
    assert [one['area'] for one in parts] == [2, 3]
    assert [one['bbox'] for one in parts] == [[0, 0, 2, 2], [3, 3, 3, 1]]


@pytest.mark.parametrize('undecided', [None, 'undecided'])
def test_a_folder_as_pycocotools_reads_it(labels, tmp_path, undecided):
    content, share = coco_of_labels(labels, undecided=undecided)
    (tmp_path / 'coco.json').write_text(json.dumps(content))
    coco = COCO(tmp_path / 'coco.json')
    load_coco(str(tmp_path / 'coco.json'))
    names = ['cat', 'dog', *([undecided] if undecided else [])]
    assert [coco.cats[number]['name'] for number in (1, 2, 3)[: len(names)]] == names
    files = ['garden/rex.1.png', 'b.png', 'empty.png']
    assert [image['file_name'] for image in coco.imgs.values()] == files
    ignored = 0
    for number, expected in ((1, _label(0)), (2, _label(1, 12, 16)), (3, np.zeros((12, 16)))):
        drawn = np.zeros(expected.shape, int)
        for annotation in coco.imgToAnns[number]:
            drawn[coco.annToMask(annotation) > 0] = (0, 1, 2, _IGNORE)[annotation['category_id']]
        decided = expected != _IGNORE
        assert np.array_equal(drawn[decided], expected[decided])
        assert (drawn[~decided] == (_IGNORE if undecided else 0)).all()
        ignored += (~decided).sum()
    assert share == ignored / (21 * 33 + 2 * 12 * 16)


def test_files_of_the_images_are_named(labels, tmp_path, write_image):
    for name, size in (('garden/rex.1.JPG', (21, 33)), ('b.png', (12, 16)), ('other.png', (1, 1))):
        write_image(tmp_path / 'images' / name, *size)
    with pytest.raises(MissingFileError, match=r'images: expected an image .* for 1, .* empty;'):
        coco_of_labels(labels, tmp_path / 'images')
    image = write_image(tmp_path / 'images' / 'empty.jpg')
    content, _ = coco_of_labels(labels, tmp_path / 'images')
    files = ['garden/rex.1.JPG', 'b.png', 'empty.jpg']
    assert [image['file_name'] for image in content['images']] == files
    write_image(image, 12, 17)
    with pytest.raises(DataError, match=r'empty\.png: .* 12x17 of .*empty\.jpg, received 12x16'):
        coco_of_labels(labels, tmp_path / 'images')
    write_image(tmp_path / 'images' / 'b.jpg')
    with pytest.raises(DataError, match=r'differ beyond their suffix, received b\.jpg, b\.png;'):
        coco_of_labels(labels, tmp_path / 'images')
    with pytest.raises(MissingFileError, match=r'expected a folder of images at .*nowhere'):
        coco_of_labels(labels, tmp_path / 'nowhere')


def test_what_cannot_be_written(labels):
    with pytest.raises(ConfigError, match="the classes background, cat, dog, received 'cat'"):
        coco_of_labels(labels, undecided='cat')
    save_label_png(labels.path('b'), _label(1, 12, 16) + 1)
    with pytest.raises(DataError, match=r'b\.png: expected values of the 3 classes .* 3, 201;'):
        coco_of_labels(labels)
    labels.path('b').write_bytes(b'cut')
    with pytest.raises(DamagedFileError, match=r'b\.png'):
        coco_of_labels(labels)


def test_masks_without_a_manifest(labels):
    (labels.folder / 'manifest.json').unlink()
    with pytest.raises(MissingFileError, match='expected a folder of pseudo labels'):
        labels_to_write(labels.folder)
    masks = labels_to_write(labels.folder, _CLASSES, ignore=_IGNORE)
    assert masks.images == ('b', 'empty', 'garden/rex.1')
    assert masks.kind == 'corrected masks'
    content, _ = coco_of_labels(masks)
    expected = label_annotations(_label(1, 12, 16), {1: 1, 2: 2})
    assert [dict(one, image_id=1) for one in content['annotations']][:2] == [
        dict(one, id=number, image_id=1) for number, one in enumerate(expected, start=1)
    ]
    with pytest.raises(ConfigError, match="as the first of --classes, received 'cat'"):
        labels_to_write(labels.folder, _CLASSES[1:])
    with pytest.raises(MissingFileError, match='expected a folder of masks at nowhere'):
        labels_to_write('nowhere', _CLASSES)


def test_a_list_of_labels(labels, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text('empty.jpg\ngarden/rex.1\n')
    chosen = labels_to_write(labels.folder, list_file=str(names))
    assert chosen.images == ('empty', 'garden/rex.1')
