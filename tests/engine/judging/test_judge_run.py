"""A network that sees colours rightly is judged by tags that are partly wrong."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.engine.judging import judge_run, judged_images
from wsss_plugin.errors import DataError, MissingFileError


def _copy(config):
    return config.copy()


def test_by_tags_alone(coloured, tmp_path):
    config, checkpoint, _ = coloured
    found = judge_run(_copy(config), checkpoint, tmp_path, share=0.25)
    assert json.loads((tmp_path / 'judgement.json').read_text()) == found
    count = found['images']['count']
    assert found['images'] == {
        'count': count,
        'split': 'train',
        'list': None,
        'trained_on': count,
    }
    assert 8 <= count <= 13
    by_class = {row['class']: row for row in found['by_class']}
    assert by_class['red']['tag_precision'] == by_class['red']['tag_recall'] == 100
    # Green is said of images that show none.
    assert by_class['green']['tag_precision'] is None
    assert by_class['green']['tag_recall'] == 0
    assert found['signals']['tag_recall'] == 66.67
    assert found['signals']['flip_agreement'] == 100
    assert found['signals']['source_agreement'] is None
    assert found['masks'] is None
    with open(tmp_path / 'review.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    greens = by_class['green']['images']
    assert [row['missing'] for row in rows] == ['green'] * greens + [''] * (count - greens)


def test_held_out_list_and_masks(coloured, tmp_path):
    config, checkpoint, folder = coloured
    config = _copy(config)
    listed = tmp_path / 'some.txt'
    listed.write_text('03\n07\n')
    masks = shutil.copytree(folder / 'masks', tmp_path / 'masks')
    for number in range(9):
        (masks / f'{number:02}.png').unlink()
    found = judge_run(config, checkpoint, list_file=str(listed), masks=masks)
    assert found['images']['count'] == 2
    assert found['signals']['tag_f1'] == 100
    assert found['masks']['count'] == 31
    assert found['masks']['segmentation']['mIoU'] == 100
    assert found['masks']['thresholds'] is None
    (masks / '09.png').unlink()
    (masks / '10.png').unlink()
    with pytest.raises(DataError, match=r'masks.*of 30 images of train or more, received 29'):
        judge_run(config, checkpoint, masks=masks)
    with pytest.raises(MissingFileError, match='expected a folder of masks'):
        judge_run(config, checkpoint, masks=tmp_path / 'nothing')


def test_labels_of_a_folder_are_the_second_source(coloured, tmp_path):
    config, checkpoint, folder = coloured
    labels = tmp_path / 'labels'
    labels.mkdir()
    names = [path.stem for path in sorted((folder / 'masks').iterdir())]
    for name in names:
        label = np.array(Image.open(folder / 'masks' / f'{name}.png'))
        label[:5] = 9
        label[label == 3] = 0
        Image.fromarray(label).save(labels / f'{name}.png')
    manifest = dict(
        kind='pseudo labels',
        method={'type': 'A'},
        classes=list(config.train_dataloader.dataset.metainfo.classes),
        thresholds=None,
        ignore=9,
        images=names,
    )
    (labels / 'manifest.json').write_text(json.dumps(manifest))
    found = judge_run(_copy(config), checkpoint, split='train', number=6, label_dir=str(labels))
    assert found['sources']['labels'] == str(labels)
    assert found['signals']['undecided'] == 25
    by_class = {row['class']: row for row in found['by_class']}
    assert by_class['red']['source_iou'] == 100
    assert by_class['blue']['source_iou'] == 0


def test_validation_images_are_taken_if_no_training_has_them(coloured, tmp_path):
    config, _, folder = coloured
    config = _copy(config)
    config.val_dataloader = dict(dataset=dict(config.test_dataloader.dataset, list_file='val.txt'))
    both = judged_images(config)
    assert (both.split, both.trained_on) == ('train', len(both.names))
    rest = tmp_path / 'rest.txt'
    rest.write_text('\n'.join(f'{number:02}' for number in range(8, 40)))
    config.train_dataloader.dataset.list_file = str(rest)
    apart = judged_images(config, number=5)
    assert (apart.split, apart.trained_on) == ('val', 0)
    assert apart.names == ('00', '01', '03', '05', '07')
    assert folder.is_dir()
