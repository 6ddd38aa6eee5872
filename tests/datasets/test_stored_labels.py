"""Labels as a data set takes them: ``label_dir``."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from mmseg.datasets.transforms import PackSegInputs

from wsss_plugin.datasets import ImageTagDataset, ShapesTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import ConfigError, DamagedFileError, DataError, MissingFileError
from wsss_plugin.evaluation.label_png import save_label_png

_LIST = 'ImageSets/Segmentation/train.txt'
_CLASSES = ShapesTagDataset.METAINFO['classes']
_STEPS = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]


def _write(folder, names, classes=_CLASSES, ignore=255, size=(48, 48), value=1, **content):
    label = np.zeros(size, np.uint8)
    label[:5], label[5:9] = value, ignore
    for name in names:
        save_label_png(folder / f'{name}.png', label, ShapesTagDataset.METAINFO['palette'])
    content.update(classes=list(classes), images=list(names), ignore=ignore)
    LabelManifest.write(folder, content)
    return folder


@pytest.fixture
def names(shapes_root):
    return (shapes_root / _LIST).read_text().split()


@pytest.fixture
def build(shapes_root):
    def run(folder, **options):
        options = {'pipeline': _STEPS, **options}
        return ShapesTagDataset(_LIST, data_root=str(shapes_root), label_dir=folder, **options)

    def run_on(folder, **options):
        return run(folder if isinstance(folder, list) else str(folder), **options)

    return run_on


@pytest.mark.parametrize('ignore', [255, 99])
def test_labels_in_place_of_masks(build, names, shapes_root, tmp_path, ignore):
    with warnings.catch_warnings():
        # A label that lacks a class of the tags is as usual.
        warnings.simplefilter('error')
        dataset = build(_write(tmp_path / 'labels', names, ignore=ignore))
        sample = dataset[3]['data_samples']
    label = sample.gt_sem_seg.data[0]
    assert (label[:5] == 1).all()
    assert (label[5:9] == 255).all()
    assert (label[9:] == 0).all()
    assert sample.metainfo['label_dir'] == str(tmp_path / 'labels')
    assert sample.metainfo['seg_map_path'] == str(tmp_path / 'labels' / f'{names[3]}.png')
    tags = json.loads((shapes_root / 'tags.json').read_text())[names[3]]
    assert [_CLASSES[1 + n] for n in sample.gt_tags.nonzero().flatten()] == tags


def test_a_segmentor_of_the_toolbox_is_trained_on_them(build, names, tmp_path):
    steps = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), PackSegInputs()]
    dataset = build(_write(tmp_path / 'labels', names), pipeline=steps)
    assert dataset[0]['data_samples'].gt_sem_seg.data[0, 0, 0] == 1


def test_true_masks_are_not_marked(shapes_root):
    dataset = ShapesTagDataset(_LIST, data_root=str(shapes_root), load_masks=True, pipeline=_STEPS)
    assert 'label_dir' not in dataset[0]['data_samples'].metainfo


@pytest.mark.parametrize('option', ['load_masks', 'test_mode'])
def test_beside_true_masks(build, names, tmp_path, option):
    folder = _write(tmp_path / 'labels', names)
    with pytest.raises(ConfigError, match=f'label_dir: .* received it beside {option}=True'):
        build(folder, **{option: True})


def test_a_folder_of_true_masks(build, shapes_root):
    with pytest.raises(MissingFileError, match='SegmentationClass: expected a folder of pseudo'):
        build(shapes_root / 'SegmentationClass')


def test_labels_of_fewer_images(build, names, tmp_path):
    folder = _write(tmp_path / 'labels', names[:4])
    with pytest.raises(DataError, match=f'6 images .* received none for 2, among them {names[4]}'):
        build(folder)


@pytest.mark.parametrize('classes', [_CLASSES[:-1], (_CLASSES[0], *_CLASSES[:0:-1])])
def test_labels_of_other_classes(build, names, tmp_path, classes):
    with pytest.raises(DataError, match='expected labels of the classes of the data set'):
        build(_write(tmp_path / 'labels', names, classes))


def test_labels_are_looked_at(build, names, tmp_path):
    with pytest.raises(DataError, match=r'expected values from 0 to 6 .* received 77'):
        build(_write(tmp_path / 'labels', names, value=77))
    (tmp_path / 'labels' / f'{names[0]}.png').write_bytes(b'cut')
    with pytest.raises(DamagedFileError, match=f'{names[0]}'):
        build(tmp_path / 'labels')


def test_a_link_out_of_the_folder(build, names, tmp_path):
    folder = _write(tmp_path / 'labels', names)
    (folder / f'{names[0]}.png').rename(tmp_path / 'elsewhere.png')
    (folder / f'{names[0]}.png').symlink_to(tmp_path / 'elsewhere.png')
    with pytest.raises(DataError, match='a link to'):
        build(folder)
    assert len(build(folder, allow_outside=True)) == 6


def test_images_in_sub_folders(tmp_path, write_image):
    write_image(tmp_path / 'images' / 'garden' / 'rex.1.jpg')
    (tmp_path / 'tags.csv').write_text('image,tags\ngarden/rex.1,dog\n')
    folder = _write(tmp_path / 'labels', ['garden/rex.1'], ('background', 'dog'), size=(12, 16))
    dataset = ImageTagDataset(
        'tags.csv', data_root=str(tmp_path), label_dir=str(folder), pipeline=_STEPS
    )
    assert dataset[0]['data_samples'].gt_sem_seg.data.unique().tolist() == [0, 1, 255]


def test_masks_of_the_data_set_may_be_numbered_in_another_way(build, names, tmp_path):
    # Labels are numbered by the classes of the data set, whatever its masks are.
    classes = (_CLASSES[0], *_CLASSES[:0:-1])
    folder = _write(tmp_path / 'labels', names, classes)
    dataset = build(folder, metainfo=dict(classes=classes))
    assert dataset[0]['data_samples'].gt_sem_seg.data[0, 0, 0] == 1


def test_the_first_folder_that_has_an_image_labels_it(build, names, tmp_path):
    masks = _write(tmp_path / 'masks', names[:2], ignore=77, value=2, kind='corrected masks')
    labels = _write(tmp_path / 'labels', names[1:], ignore=99)
    # The first of the masks shows nothing that its image is tagged with.
    with pytest.warns(UserWarning, match='expected masks that show what the tags say'):
        dataset = build([dict(folder=str(masks), weight=4), str(labels)])
    values, folders, weights = [], [], []
    for index in range(3):
        sample = dataset[index]['data_samples']
        values.append(sample.gt_sem_seg.data.unique().tolist())
        folders.append(sample.metainfo['label_dir'])
        weights.append(sample.metainfo['label_weight'])
    assert values == [[0, 2, 255], [0, 2, 255], [0, 1, 255]]
    assert folders == [str(masks), str(masks), str(labels)]
    assert weights == [4, 4, 1]


def test_folders_that_lack_images_together(build, names, tmp_path):
    folders = [str(_write(tmp_path / 'ab'[index], [names[index]])) for index in range(2)]
    with pytest.raises(DataError, match=rf'a, .*b: .* received none for 4, among them {names[2]}'):
        build(folders)


def test_other_classes_in_any_of_the_folders(build, names, tmp_path):
    folders = [
        str(_write(tmp_path / 'labels', names)),
        str(_write(tmp_path / 'never', names, _CLASSES[::-1])),
    ]
    with pytest.raises(DataError, match='never: expected labels of the classes of the data set'):
        build(folders)


def test_masks_of_people_are_to_show_what_the_tags_say(build, names, tmp_path):
    labels = str(_write(tmp_path / 'labels', names))
    masks = str(_write(tmp_path / 'masks', names[:2], value=0, kind='corrected masks'))
    with pytest.warns(UserWarning, match='masks: expected masks that show what the tags say'):
        build([masks, labels])


def test_every_folder_is_looked_at(build, names, tmp_path):
    labels = str(_write(tmp_path / 'labels', names))
    masks = str(_write(tmp_path / 'masks', names[2:3], value=77))
    with pytest.raises(DataError, match=r'expected values from 0 to 6 .* received 77'):
        build([masks, labels])
