import pytest
from mmengine.config import Config

from wsss_plugin.engine.pipeline_steps import dataset_config, without_files, without_masks
from wsss_plugin.errors import ConfigError

_PIPELINE = [
    dict(type='mmseg.LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[[dict(type='Resize')], [dict(type='LoadAnnotations')], [dict(type='Pack')]],
    ),
]


def test_masks_and_files_are_left_out_also_inside_a_step():
    inner = dict(type='TestTimeAug', transforms=[[dict(type='Resize')], [dict(type='Pack')]])
    assert without_masks(_PIPELINE) == [_PIPELINE[0], inner]
    assert without_files(_PIPELINE) == [inner]


def test_a_wrapped_data_set_is_refused():
    config = Config(dict(val_dataloader=dict(dataset=dict(type='RepeatDataset'))))
    with pytest.raises(ConfigError, match=r'val_dataloader\.dataset.*RepeatDataset'):
        dataset_config(config, 'val')
    with pytest.raises(ConfigError, match=r'test_dataloader\.dataset.*none'):
        dataset_config(config, 'test')
