from __future__ import annotations

import pytest
from mmengine.config import Config

from wsss_plugin.engine.label_dir_seed import fill_seed
from wsss_plugin.errors import ConfigError


def _config(label_dir, **randomness):
    dataset = dict(label_dir=label_dir)
    return Config(dict(train_dataloader=dict(dataset=dataset), randomness=randomness))


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ('labels/seed_{seed}', 'labels/seed_3'),
        ('labels', 'labels'),
        (['true', 'seed_{seed}/{seed}'], ['true', 'seed_3/3']),
        ([dict(folder='seed_{seed}', weight=2.0)], [dict(folder='seed_3', weight=2.0)]),
        (
            [dict(folder='true', weight=2.0), 'seed_{seed}'],
            [dict(folder='true', weight=2.0), 'seed_3'],
        ),
        (None, None),
    ],
)
def test_the_seed_is_written_in(given, expected):
    config = _config(given, seed=3)
    fill_seed(config)
    assert config.train_dataloader.dataset.label_dir == expected


def test_a_config_without_training_data_stays():
    config = Config(dict(model=dict(type='A')))
    fill_seed(config)
    assert 'train_dataloader' not in config


def test_without_a_seed_it_is_an_error():
    with pytest.raises(ConfigError, match=r'label_dir: expected randomness\.seed .*seed_\{seed\}'):
        fill_seed(_config('seed_{seed}'))
    fill_seed(_config('labels'))
