from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from wsss_plugin.engine.label_export import ListedImages
from wsss_plugin.errors import ConfigError, DataError

CLASSES = ('background', 'cat', 'dog')
PIPELINE = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]


@pytest.fixture
def config(tmp_path):
    for name in ('b.1', 'a', 'garden/a'):
        path = tmp_path / 'images' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    (tmp_path / 'tags.csv').write_text('image,tags\nb.1.png,cat\na,dog\ngarden/a,\n')
    dataset = dict(type='ImageTagDataset', data_root=str(tmp_path), ann_file='tags.csv')
    dataset['metainfo'] = dict(classes=CLASSES)
    # Neither exists: a training set of stored labels can be labelled anew.
    train = dict(dataset, label_dir='nowhere', pipeline=[dict(type='LoadAnnotations')])
    test = dict(dataset, test_mode=True, pipeline=PIPELINE)
    return Config(dict(train_dataloader=dict(dataset=train), test_dataloader=dict(dataset=test)))


def test_images_are_read_without_masks(config):
    images = ListedImages(config)
    assert images.names == ('a', 'b.1', 'garden/a')
    assert len(images) == 3
    assert images.classes == CLASSES
    assert images.path('garden/a').endswith('images/garden/a.png')
    item = images.item('b.1')
    assert item['inputs'].shape == (3, 4, 6)
    assert item['data_samples'].gt_tags.tolist() == [1, 0]
    assert 'gt_sem_seg' not in item['data_samples']
    assert [step['type'] for step in images.pipeline] == ['LoadImageOrRaise', 'PackWSSSInputs']
    assert ListedImages(config, 'test').names == images.names


def test_a_list_in_its_own_order(config, tmp_path):
    (tmp_path / 'some.txt').write_text('garden/a.png\nb.1\n')
    assert ListedImages(config, list_file=str(tmp_path / 'some.txt')).names == ('garden/a', 'b.1')


@pytest.mark.parametrize(
    ('text', 'message'),
    [('a\nc\n', 'received 1 others among 2: c; correct'), ('', 'received 0 others among 0')],
)
def test_a_list_of_other_names(config, tmp_path, text, message):
    (tmp_path / 'some.txt').write_text(text)
    with pytest.raises(DataError, match=message):
        ListedImages(config, list_file=str(tmp_path / 'some.txt'))
    with pytest.raises(FileNotFoundError, match='expected a list of names for --list'):
        ListedImages(config, list_file=str(tmp_path / 'none.txt'))


def test_two_images_of_one_name(config, tmp_path):
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / 'images' / 'a.jpg')
    (tmp_path / 'tags.csv').write_text('image,tags\na.png,cat\na.jpg,dog\n')
    for loader in (config.train_dataloader, config.test_dataloader):
        loader.dataset.unlisted = 'ignore'
    with pytest.raises(DataError, match=r'a\.png: expected images .* differ beyond their suffix'):
        ListedImages(config)


def test_configs_that_have_no_such_data_set(config):
    with pytest.raises(ConfigError, match=r'val_dataloader\.dataset: .* received none'):
        ListedImages(config, 'val')
    inner = config.train_dataloader.dataset
    config.train_dataloader.dataset = dict(type='RepeatDataset', dataset=inner, times=2)
    with pytest.raises(ConfigError, match='received RepeatDataset; name the data set itself'):
        ListedImages(config)


def test_more_classes_than_a_label_map_has_values_for(config):
    classes = ('background', 'cat', 'dog', *(f'c{index}' for index in range(253)))
    config.train_dataloader.dataset.metainfo.classes = classes
    with pytest.raises(ConfigError, match=r'at most 254 classes .* received 255'):
        ListedImages(config)


def test_a_model_of_other_classes(config):
    images = ListedImages(config)
    meta = {'classes': ('background', 'dog', 'cat')}
    source = SimpleNamespace(num_classes=3, model=SimpleNamespace(dataset_meta=meta))
    with pytest.raises(ValueError, match="'cat' instead of 'dog' as number 1"):
        images.require_classes_of(source)
    source.num_classes = 4
    with pytest.raises(ConfigError, match=r'of the 3 classes .* received one of 4'):
        images.require_classes_of(source)
    images.require_classes_of(
        SimpleNamespace(num_classes=3, model=SimpleNamespace(dataset_meta={}))
    )


def test_several_scales_without_masks(config):
    pipeline = [
        dict(type='LoadImageOrRaise'),
        dict(
            type='TestTimeAug',
            transforms=[
                [dict(type='Resize', scale_factor=s, keep_ratio=True) for s in (1.0, 2.0)],
                [dict(type='LoadAnnotations')],
                [dict(type='PackWSSSInputs')],
            ],
        ),
    ]
    images = ListedImages(config, pipeline=pipeline)
    assert [len(step) for step in images.pipeline[1]['transforms']] == [2, 1]
    item = images.item(images.names[0])
    first, second = item['inputs']
    assert [2 * side for side in first.shape[1:]] == list(second.shape[1:])
    assert 'gt_sem_seg' not in item['data_samples'][1]
    assert 'gt_tags' in item['data_samples'][1]
    assert images.name(images.path(images.names[1])) == images.names[1]
