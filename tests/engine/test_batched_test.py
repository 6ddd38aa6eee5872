import pytest
from mmengine.config import Config

from wsss_plugin.engine.batched_test import augmentations, batch_test


def _config(classes=21, batch_size=1, pipeline=(), **changes):
    metainfo = dict(classes=[str(number) for number in range(classes)])
    dataset = dict(type='ImageTagDataset', metainfo=metainfo, pipeline=list(pipeline))
    loader = dict(batch_size=batch_size, dataset=dataset)
    return Config(dict(test_dataloader=loader, test_cfg=dict(type='TestLoop'), **changes))


_SIX = dict(
    type='TestTimeAug',
    transforms=[[dict(type='Resize')] * 3, [dict(type='RandomFlip')] * 2, [dict(type='Pack')]],
)


@pytest.mark.parametrize(
    ('config', 'size', 'expected'),
    [
        (_config(), None, 4),
        (_config(batch_size=20), None, 20),
        (_config(batch_size=20), 3, 3),
        (_config(classes=200), None, 2),
        (_config(classes=81, pipeline=[_SIX]), None, 1),
        (_config(classes=81, pipeline=[_SIX]), 2, 2),
    ],
)
def test_number_of_images(config, size, expected):
    batch_test(config, size)
    assert config.test_dataloader.batch_size == expected
    assert config.test_cfg.type == 'OneSizeTestLoop'


def test_a_loop_of_another_kind_and_a_data_set_without_names():
    config = _config()
    config.test_cfg = dict(type='OtherLoop', fp16=True)
    batch_test(config)
    assert config.test_cfg == dict(type='OtherLoop', fp16=True)
    config = Config(dict(test_dataloader=dict(dataset=dict(pipeline=[]))))
    batch_test(config)
    assert config.test_dataloader.batch_size == 1


def test_scales_and_flips_are_counted():
    assert augmentations([dict(type='Load'), _SIX]) == 6
    assert augmentations(None) == augmentations([dict(type='Load')]) == 1
