from __future__ import annotations

import pytest
import torch
from mmengine.config import ConfigDict
from reference_networks import build, cam_config, dual_config, small_config

from wsss_plugin.models.segmentors import WeakSegmentor


def deployed_model(config):
    """The segmentor of a config and the ordinary one with its weights."""
    segmentor = build(config).eval()
    plain_config, prefixes = WeakSegmentor.deployed(config)
    plain = build(ConfigDict(plain_config)).eval()
    weights = {}
    for name, weight in segmentor.state_dict().items():
        for old, new in prefixes.items():
            if name.startswith(old):
                weights[new + name.removeprefix(old)] = weight
    plain.load_state_dict(weights)
    return segmentor, plain


@pytest.mark.parametrize('config', [small_config, dual_config])
def test_the_deployed_segmentor_predicts_the_same(config):
    segmentor, plain = deployed_model(config(test_cfg=dict(pseudo_label=True)))
    assert type(plain).__name__ == 'EncoderDecoder'
    image, metas = torch.randn(1, 3, 48, 64), [dict(img_shape=(48, 64), ori_shape=(48, 64))]
    with torch.no_grad():
        expected = segmentor.inference(image, metas)
        torch.testing.assert_close(plain.inference(image, metas), expected)
    assert plain.test_cfg == dict(mode='whole')


def test_inner_blocks_that_the_decode_head_reads():
    config = small_config(decode_reads=('inner.3', 'patch'))
    config['decode_head'] = dict(
        type='FCNHead',
        in_channels=[24, 24],
        in_index=[0, 1],
        input_transform='resize_concat',
        channels=8,
        num_classes=6,
        norm_cfg=dict(type='BN'),
    )
    segmentor, plain = deployed_model(config)
    image = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(plain(image), segmentor(image))


def test_a_stock_backbone_and_its_last_output():
    config = cam_config(
        decode_head=dict(
            type='FCNHead', in_channels=64, channels=8, num_classes=6, norm_cfg=dict(type='BN')
        ),
        decode_reads='out.-1',
        labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
        terms=dict(seg=dict(type='SegmentationTerm', labels='pixel')),
    )
    segmentor, plain = deployed_model(config)
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(plain(image), segmentor(image))
    with pytest.raises(ValueError, match=r"decode_reads='out\.-1', the last output of ResNet"):
        WeakSegmentor.deployed(dict(config, decode_reads='layer3'))


def test_nothing_is_built_or_changed():
    config = dual_config(backbone=dict(vit=dict(pretrained='no/such/file.pth')))
    before = dual_config(backbone=dict(vit=dict(pretrained='no/such/file.pth')))
    plain, _ = WeakSegmentor.deployed(config)
    WeakSegmentor.predicts(config)
    WeakSegmentor.threshold_keys(config)
    assert config == before
    assert 'pretrained' not in plain['backbone']


def test_without_decode_head_there_is_nothing_to_deploy():
    with pytest.raises(ValueError, match=r'decode_head=None; train a segmentor on its labels'):
        WeakSegmentor.deployed(cam_config())


def test_what_it_predicts():
    decoder = dict(decoder=dict(type='DecoderCAM'))
    config = dual_config(cams=decoder, labels=dict(token=None))
    assert WeakSegmentor.predicts(config) == dict(
        segmentation='decode_head', cams=('aux', 'cnn', 'final'), labels=('pixel',)
    )
    assert WeakSegmentor.predicts(cam_config()) == dict(
        segmentation='cam', cams=('final',), labels=()
    )
    truth = dict(pixel=None, token=None, region=None, truth=dict(type='TrueLabels'))
    supervised = small_config(labels=truth)
    assert WeakSegmentor.predicts(supervised)['labels'] == ()


def test_where_the_thresholds_are():
    assert WeakSegmentor.threshold_keys(small_config()) == ('thresholds',)
    own = dict(region=dict(thresholds=dict(low=0.1, high=0.2)), token=None)
    keys = WeakSegmentor.threshold_keys(small_config(labels=own))
    assert keys == ('thresholds', 'labels.region.thresholds')
