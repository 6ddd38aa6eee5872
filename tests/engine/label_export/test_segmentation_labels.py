"""Labels by segmentation: numbers against the logits, any segmentor, and what is refused."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmseg.structures import SegDataSample
from reference_networks import build, cam_config, tiny_config

from wsss_plugin.engine.label_export import SegmentationLabels
from wsss_plugin.errors import ConfigError, DataError


def _stock(**head):
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        decode_head=dict(
            {'type': 'FCNHead', 'in_channels': 64, 'channels': 8, 'num_classes': 6, **head},
            concat_input=False,
        ),
        test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(24, 24)),
    )


@pytest.fixture
def make(tmp_path):
    def run(config, **arguments):
        model = build(config)
        last = model.decode_head.conv_seg
        if last.bias is not None:
            # Random weights would predict one class everywhere.
            last.bias.data.copy_(torch.linspace(-9, 9, last.out_channels))
        torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
        path = str(tmp_path / 'a.pth')
        return SegmentationLabels(Config(dict(model=config)), path, **arguments)

    return run


def _item(tags=(1, 0, 1, 0, 0)):
    image = torch.randint(0, 256, (3, 64, 48), dtype=torch.uint8)
    meta = dict(ori_shape=(70, 50), img_shape=(64, 48), img_path='cat.jpg')
    sample = SegDataSample(metainfo=meta)
    if tags is not None:
        sample.gt_tags = torch.tensor(tags).float()
    return {'inputs': image, 'data_samples': sample}


@pytest.mark.parametrize('config', [tiny_config(), _stock()], ids=['weak', 'stock'])
def test_is_the_best_of_background_and_tags(make, config):
    source, item = make(config), _item()
    label = source(item)
    sample = source.model.test_step(
        {'inputs': [item['inputs']], 'data_samples': [_item()['data_samples']]}
    )[0]
    logits = sample.seg_logits.data
    assert label.shape == (70, 50)
    chosen = torch.tensor([0, 1, 3])
    assert torch.equal(label, chosen[logits[chosen].argmax(dim=0)])
    free = make(config, with_tags=False)
    free.model.load_state_dict(source.model.state_dict())
    assert torch.equal(free(_item(tags=None) | {'inputs': item['inputs']}), logits.argmax(dim=0))
    assert not torch.equal(label, logits.argmax(dim=0))
    assert source.num_classes == 6
    assert source.method == {'made_by': 'segmentation', 'restricted_to_tags': True}
    assert source.thresholds is None


def test_an_image_of_background_only(make):
    assert make(_stock())(_item(tags=(0,) * 5)).unique().tolist() == [0]


def test_an_image_without_tags_is_named(make):
    with pytest.raises(DataError, match=r'cat\.jpg: expected the tags .* or give --no-tags'):
        make(_stock())(_item(tags=None))


def test_one_score_for_two_classes_cannot_be_restricted(make):
    binary = _stock(num_classes=2, out_channels=1, threshold=0.5)
    with pytest.raises(ConfigError, match=r'expected scores of 2 classes .* received 1;'):
        make(binary)(_item(tags=(1,)))
    assert set(make(binary, with_tags=False)(_item()).unique().tolist()) <= {0, 1}


def test_a_segmentor_without_decode_head():
    with pytest.raises(ConfigError, match='with a decode head for --segmentation'):
        SegmentationLabels(Config(dict(model=cam_config())), 'none.pth')
