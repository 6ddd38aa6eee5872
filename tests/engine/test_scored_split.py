import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from wsss_plugin.engine.scored_split import score_split
from wsss_plugin.errors import ConfigError


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'images').mkdir()
    for index in range(5):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / f'images/{index}.jpg')
    (tmp_path / 'tags.json').write_text('{' + ', '.join(f'"{i}.jpg": []' for i in range(5)) + '}')
    dataset = dict(
        type='ImageTagDataset',
        data_root=str(tmp_path),
        ann_file='tags.json',
        data_prefix=dict(img_path='images'),
        metainfo=dict(classes=('background', 'cat')),
    )
    train = dict(dataset, label_dir='some', pipeline=[dict(type='OfTheTraining')])
    return Config(
        dict(
            train_dataloader=dict(dataset=train),
            test_dataloader=dict(dataset=dict(dataset, pipeline=[])),
            test_evaluator=dict(type='WSSSMetric', split='val'),
        )
    )


def test_training_images_are_read_as_those_of_the_test(config):
    score_split(config, 'train')
    dataset = config.test_dataloader.dataset
    assert dataset.pipeline == []
    assert dataset.test_mode
    assert 'label_dir' not in dataset
    assert config.test_evaluator.split == 'train'
    assert config.train_dataloader.dataset.label_dir == 'some'


def test_a_few_images_are_spread_over_all(config):
    score_split(config, 'train', 3)
    assert config.test_dataloader.dataset.indices == [0, 2, 4]
    assert 'up to 3 images' in config.test_evaluator.split


def test_a_part_of_the_images_stays_that_part(config):
    config.train_dataloader.dataset.indices = [1, 2, 3]
    score_split(config, 'train', 2)
    assert config.test_dataloader.dataset.indices == [1, 3]


def test_a_data_set_in_a_wrapper_is_refused(config):
    config.train_dataloader.dataset = dict(type='RepeatDataset')
    with pytest.raises(ConfigError, match=r'train_dataloader\.dataset.*received RepeatDataset'):
        score_split(config, 'train')
