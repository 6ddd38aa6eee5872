"""Labels by segmentation: numbers against the logits, any segmentor, and what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.structures import SegDataSample
from PIL import Image
from reference_networks import build, cam_config, tiny_config

from wsss_plugin.engine.label_export import SegmentationLabels
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.evaluation.dense_crf import dense_crf


def _stock(test_cfg=None, **head):
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[0.0] * 3, std=[1.0] * 3),
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        decode_head=dict(
            {'type': 'FCNHead', 'in_channels': 64, 'channels': 8, 'num_classes': 6, **head},
            concat_input=False,
        ),
        test_cfg=test_cfg or dict(mode='slide', crop_size=(32, 32), stride=(24, 24)),
    )


@pytest.fixture
def make(tmp_path):
    def run(config, **arguments):
        whole = config if isinstance(config, Config) else Config(dict(model=config))
        model = build(copy.deepcopy(whole.model))
        last = model.decode_head.conv_seg
        if last.bias is not None:
            # Random weights would predict one class everywhere.
            last.bias.data.copy_(torch.linspace(-9, 9, last.out_channels))
        torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
        path = str(tmp_path / 'a.pth')
        return SegmentationLabels(whole, path, **arguments)

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


def test_no_cams_are_made_for_it(make):
    config = dict(tiny_config(), test_cfg=dict(mode='whole', cam=True))
    source = make(config)
    (sample,) = source.model.test_step(
        {'inputs': [_item()['inputs']], 'data_samples': [_item()['data_samples']]}
    )
    assert 'seg_logits' in sample
    assert 'cam' not in sample
    assert config['test_cfg']['cam']


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


_TTA = dict(type='ScaleMaxTTAModel', flip_fusion='sum', scale_fusion='sum')


@pytest.fixture
def several(make):
    """A source of several scales and flips, and an item of two scales with flips."""

    def run(config=None, tta_model=_TTA, **arguments):
        config = Config(dict(model=config or _stock(test_cfg=dict(mode='whole'))))
        config.tta_model = tta_model
        inputs, samples = [], []
        for size in ((64, 48), (96, 72)):
            image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
            for flip in (False, True):
                sample = _item()['data_samples']
                meta = dict(img_shape=size, flip=flip, flip_direction='horizontal')
                sample.set_metainfo(meta)
                samples.append(sample)
                inputs.append(image.flip(-1) if flip else image)
        source = make(config, augmented=True, **arguments)
        # The predictions of each scale depend on the image.
        source.model.decode_head.conv_seg.bias.data.zero_()
        return source, {'inputs': inputs, 'data_samples': samples}

    return run


@torch.no_grad()
def _single(source, item, index):
    data = {'inputs': [item['inputs'][index]], 'data_samples': [item['data_samples'][index]]}
    return source.model.test_step(data)[0].seg_logits.data


def test_several_scales_are_averaged_before_the_tags_choose(several):
    source, item = several()
    label = source(item)
    logits = sum(_single(source, item, index) for index in range(4))
    chosen = torch.tensor([0, 1, 3])
    assert torch.equal(label, chosen[logits[chosen].argmax(dim=0)])
    alone = _single(source, item, 0)
    assert not torch.equal(label, chosen[alone[chosen].argmax(dim=0)])
    assert source.method['tta'] is True
    assert source.num_classes == 6


def test_scales_that_are_not_fused_are_refused(several):
    source, item = several(tta_model=dict(type='SegTTAModel'))
    with pytest.raises(ConfigError, match='tta_model: expected the fused scores'):
        source(item)


def test_a_config_without_several_scales(make):
    with pytest.raises(KeyError, match='expected tta_model and tta_pipeline'):
        make(_stock(), augmented=True)


def test_a_crf_of_the_probabilities_of_tags(make, tmp_path):
    pytest.importorskip('pydensecrf')
    item = _item()
    picture = np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / 'cat.png')
    item['data_samples'].set_metainfo(dict(img_path=str(tmp_path / 'cat.png')))
    source = make(_stock(), refine='crf', crf=dict(num_iter=2))
    assert source.method['crf'] == {'num_iter': 2, 'gaussian': [1, 1], 'bilateral': [121, 5, 4]}
    label = source(item).do()
    item['data_samples'] = [item['data_samples']]
    logits = _single(source, {**item, 'inputs': [item['inputs']]}, 0)
    item['data_samples'] = item['data_samples'][0]
    chosen = np.array([0, 1, 3])
    probabilities = logits[chosen].softmax(dim=0)
    kept = probabilities.flatten(1).amax(dim=1) > 1e-5
    refined = dense_crf(picture, probabilities[kept].half().numpy(), 2).argmax(axis=0)
    assert np.array_equal(label, chosen[kept.numpy()][refined])
    free = make(_stock(), refine='crf', crf=dict(num_iter=0), with_tags=False)
    free.model.load_state_dict(source.model.state_dict())
    assert (free(item).do() == logits.argmax(dim=0).numpy()).mean() > 0.99


def test_the_crf_of_the_test_is_taken(make):
    pytest.importorskip('pydensecrf')
    config = Config(dict(model=_stock()))
    config.test_evaluator = dict(type='WSSSMetric', crf=dict(bilateral=(50, 5, 3)))
    source = make(config, refine='crf')
    assert source.settings['bilateral'] == (50, 5, 3)
    assert source.settings['gaussian'] == (1, 1)


@pytest.mark.parametrize('arguments', [dict(refine='par'), dict(crf=dict(num_iter=1))])
def test_a_segmentation_is_refined_by_a_crf_or_not(make, arguments):
    with pytest.raises(ConfigError, match='expected --refine crf for a segmentation'):
        make(_stock(), **arguments)


def test_tags_of_which_nothing_is_predicted_get_the_least_share(make):
    source, item = make(tiny_config(), least=0.02), _item()
    logits = torch.zeros(6, 70, 50)
    logits[0] = 9.0
    # Of the tags, classes 1 and 3, on 40 and 60 pixels; class 2 is none of them.
    logits[1, 0, :40], logits[3, 5:7, :30], logits[2, 30] = 4.0, 5.0, 8.0
    source._logits = lambda _: logits
    label = source(item)
    assert label.unique(return_counts=True)[1].tolist() == [3430, 10, 60]
    assert (label[0].unique().tolist(), label[5].unique().tolist()) == ([0, 1], [0, 3])
    assert source.method['least'] == 0.02
    logits[3, 0, 0] = 10.0
    assert source(item).unique(return_counts=True)[1].tolist() == [3499, 1]
    without = make(tiny_config())
    without._logits = lambda _: torch.cat((logits[:1], logits[1:].clamp(max=8)))
    assert not without(item).any()
    for arguments in (dict(least=1.0), dict(least=-0.1), dict(least=0.1, with_tags=False)):
        with pytest.raises(ConfigError, match='--least: expected a share'):
            make(tiny_config(), **arguments)


class _Doubles(torch.nn.Module):
    """Stacks images of one size, without the rounding to float32 of the toolbox."""

    def forward(self, data, training=False):
        assert not training
        return {**data, 'inputs': torch.stack([image.double() for image in data['inputs']])}


def _sized(height, width, tags=(1, 0, 1, 0, 0), path='cat.jpg'):
    item = _item(tags)
    item['inputs'] = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    item['data_samples'].set_metainfo(dict(img_shape=(height, width), img_path=path))
    return item


def _watch(monkeypatch, source):
    seen, encode = [], source.model.encode_decode

    def watched(inputs, metas):
        seen.append(tuple(inputs.shape))
        return encode(inputs, metas)

    monkeypatch.setattr(source.model, 'encode_decode', watched)
    return seen


def test_images_of_one_size_are_predicted_together(make, monkeypatch):
    source = make(_stock(test_cfg=dict(mode='whole')))
    # The predictions depend on the image.
    source.model.decode_head.conv_seg.bias.data.zero_()
    source.model.double().data_preprocessor = _Doubles()
    other = (0, 1, 0, 0, 1)
    items = [_sized(64, 48), _sized(48, 64, other), _sized(64, 48, other), _sized(64, 48, (0,) * 5)]
    expected = [source(copy.deepcopy(item)) for item in items]
    seen = _watch(monkeypatch, source)
    found = source.many(items)
    assert sorted(seen) == [(1, 3, 48, 64), (3, 3, 64, 48)]
    assert all(map(torch.equal, found, expected))
    assert len(expected[0].unique()) > 1
    assert found[3].unique().tolist() == [0]


def test_scales_and_flips_of_several_images_are_predicted_together(several, monkeypatch):
    source, first = several()
    source.model.double().data_preprocessor = _Doubles()
    second = {**copy.deepcopy(first), 'inputs': [image.flip(1) for image in first['inputs']]}
    expected = [source(copy.deepcopy(item)) for item in (first, second)]
    seen = _watch(monkeypatch, source)
    found = source.many([first, second])
    assert seen == [(4, 3, 64, 48), (4, 3, 96, 72)]
    assert all(map(torch.equal, found, expected))
    assert not torch.equal(*found)
