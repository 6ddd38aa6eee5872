"""An inspection finds every kind of error, opens a file once and writes what it found."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from wsss_plugin.engine.inspection import image_config, inspect_data, inspection_text
from wsss_plugin.errors import ConfigError, MissingFileError


def test_finds_what_is_wrong(spotty, tmp_path):
    found = inspect_data(spotty, views=0)
    train, val = found['splits']['train'], found['splits']['val']
    assert list(found['splits']) == ['train', 'val']  # the test set is the validation set
    assert train['by_class'] == {'cat': 1, 'dog': 1, 'rail': 2, 'train': 2, 'yak': 0}
    assert (train['images'], train['background_only'], train['unknown']) == (4, 1, 0)
    assert train['tags_per_image'] == 1.5
    assert train['never'] == ['yak']
    assert train['always_together'] == [['rail', 'train']]
    assert val['background_only'] == 1
    (overlap,) = found['overlap']
    assert overlap['splits'] == ['train', 'val']
    assert overlap['same_file'] == ['d.png']
    assert overlap['same_bytes'] == [['a.png', 'e.png']]
    (broken,) = found['files']['unreadable']
    assert broken['file'] == str(tmp_path / 'images' / 'c.png')
    assert 'truncated' in broken['reason']
    assert found['files']['duplicates'] == [
        [str(tmp_path / 'images' / 'a.png'), str(tmp_path / 'images' / 'e.png')]
    ]
    assert found['files']['readable'] == 4
    assert found['files']['sizes']['width'] == {'min': 30, 'median': 30.0, 'max': 30}
    assert found['files']['sizes']['height'] == {'min': 20, 'median': 20.5, 'max': 23}
    assert found['files']['sizes']['largest'] == str(tmp_path / 'images' / 'd.png')
    (wrong,) = found['masks']['train']['contradict']
    assert wrong == {
        'image': 'b$x$.png',
        'shown_not_tagged': [],
        'tagged_not_shown': ['dog'],
    }
    assert found['masks']['train']['masks'] == 1
    assert found['short'][0] == (
        'train: 4 images, 1.5 tags each, 1 of background only; images by class: '
        'yak 0, cat 1, dog 1, rail 2, train 2'
    )
    assert any('rail + train' in line for line in found['short'])


def test_writes_whole_files_and_a_sheet_of_views(spotty, tmp_path):
    spotty.train_dataloader.dataset.list_file = 'two.txt'
    (tmp_path / 'two.txt').write_text('a.png\nb$x$.png\n')
    out = tmp_path / 'out'
    found = inspect_data(spotty, out, splits=('train',), views=2)
    assert json.loads((out / 'inspection.json').read_text()) == found
    assert found['contact_sheet'] == 'views.png'
    with Image.open(out / 'views.png') as sheet:
        assert sheet.size == (570, 486)
        pixels = np.asarray(sheet.convert('RGB')).astype(int)
    # Frames of the image's area in view 1 and the local image, none in view 2.
    yellow = (np.abs(pixels - [255, 217, 0]) < 12).all(axis=-1)
    assert yellow[:, :380].sum() > 300
    assert yellow[:, 380:].sum() < 20


def test_what_cannot_be_read_is_listed_and_left_out_of_the_sheet(spotty, tmp_path):
    found = inspect_data(spotty, tmp_path / 'out', splits=('train',))
    assert [bad['file'][-5:] for bad in found['files']['unreadable']] == ['c.png']
    with Image.open(tmp_path / 'out' / 'views.png') as sheet:
        assert sheet.height == 3 * 240 + 2 * 6
    lines = inspection_text(found)
    assert any('unreadable: ' in line and 'c.png' in line for line in lines)
    (tmp_path / 'c.txt').write_text('c.png\n')
    spotty.train_dataloader.dataset.list_file = 'c.txt'
    found = inspect_data(spotty, tmp_path / 'none', splits=('train',))
    assert found['contact_sheet'] is None
    assert not (tmp_path / 'none' / 'views.png').exists()


def test_images_and_tags_without_a_config(spotty, tmp_path):
    del spotty
    (tmp_path / 'images' / 'new.png').write_bytes((tmp_path / 'images' / 'd.png').read_bytes())
    config = image_config(str(tmp_path / 'images'), str(tmp_path / 'tags.json'))
    found = inspect_data(config, views=0)
    assert found['splits']['train']['unlisted'] == ['new.png']
    assert found['splits']['train']['by_class'] == {'cat': 2, 'dog': 2, 'rail': 2, 'train': 2}
    assert len(found['files']['unreadable']) == 1
    with pytest.raises(MissingFileError, match='expected a file of tags at'):
        image_config(str(tmp_path / 'images'), str(tmp_path / 'nothing.csv'))


def test_refuses_what_has_no_tags():
    part = dict(dataset=dict(type='CityscapesDataset', pipeline=[]))
    with pytest.raises(ConfigError, match=r"expected data sets of tags.* received \['train'\]"):
        inspect_data(Config(dict(train_dataloader=part)))
    with pytest.raises(ConfigError, match='received none'):
        inspect_data(Config(dict(model=dict())))
