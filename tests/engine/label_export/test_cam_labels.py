"""Labels by CAMs: numbers against the steps by hand, thresholds, and what is refused."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmseg.structures import SegDataSample
from reference_networks import build, cam_config, tiny_config

from wsss_plugin.engine.label_export import CAMLabels
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.ops import cam_to_label
from wsss_plugin.ops.cam import average_cams

_LABELS = dict(labels=dict(pixel=dict(refine=None)))


@pytest.fixture
def make(tmp_path):
    def run(changes=_LABELS, **arguments):
        config = tiny_config(**changes)
        model = build(config)
        torch.save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
        return CAMLabels(Config(dict(model=config)), str(tmp_path / 'a.pth'), **arguments)

    return run


def _item(height=64, width=48, tags=(1, 0, 1, 0, 0)):
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    meta = dict(ori_shape=(height, width), img_shape=(height, width), img_path='cat.jpg')
    sample = SegDataSample(metainfo=meta)
    if tags is not None:
        sample.gt_tags = torch.tensor(tags).float()
    return {'inputs': image, 'data_samples': sample}


def test_are_those_of_the_averaged_cams(make):
    source = make(cams='final+aux', low=0.3, high=0.6)
    item = _item()
    label = source(item)
    mean, std = source.model.data_preprocessor.mean, source.model.data_preprocessor.std
    image = (item['inputs'][None].float() - mean) / std
    sample = item['data_samples']
    with torch.no_grad():
        cam = average_cams(source.model.batch(image, [sample]).cams(['final', 'aux']))
    expected = cam_to_label(cam, sample.gt_tags[None], 0.3, 0.6)[0]
    assert torch.equal(label, expected)
    assert {0, 255} < set(label.unique().tolist()) <= {0, 1, 3, 255}
    assert source.method == {'made_by': 'cams', 'labels': 'pixel', 'cams': ['final', 'aux']}
    assert source.thresholds == {'low': 0.3, 'high': 0.6}
    assert source.num_classes == 6


def test_defaults_are_the_maker_s(make):
    own = dict(pixel=dict(refine=None, cams=('aux',), thresholds=dict(low=0.1, high=0.3)))
    source = make(dict(labels=own))
    assert source.cams == ('aux',)
    assert source.thresholds == {'low': 0.1, 'high': 0.3}


def test_a_high_threshold_for_each_class(make):
    highs = (0.3, 0.4, 0.9, 0.5, 0.6)
    item = _item()
    torch.manual_seed(0)
    source = make(dict(_LABELS, thresholds=dict(high=highs)))
    assert source.thresholds == {'low': 0.25, 'high': list(highs)}
    labels = {}
    for high in (0.3, 0.9):
        torch.manual_seed(0)
        labels[high] = make(high=high)(item)
    # Of the tags 0 and 2 the larger one holds.
    assert torch.equal(source(item), labels[0.9])
    assert not torch.equal(labels[0.3], labels[0.9])


def test_an_image_of_background_only(make):
    assert make(low=0.1, high=0.2)(_item(tags=(0,) * 5)).unique().tolist() == [0]


def test_an_image_without_tags_is_named(make):
    with pytest.raises(DataError, match=r'cat\.jpg: expected the tags'):
        make()(_item(tags=None))


def test_padding_is_cut_and_the_size_is_the_original(make):
    padded = dict(data_preprocessor=dict(test_cfg=dict(size_divisor=32)))
    source, item = make(dict(_LABELS, **padded), low=0.3, high=0.6), _item(40, 50)
    sample = item['data_samples']
    sample.set_metainfo(dict(ori_shape=(80, 100)))
    mean, std = source.model.data_preprocessor.mean, source.model.data_preprocessor.std
    image = F.pad((item['inputs'][None].float() - mean) / std, (0, 14, 0, 24))
    with torch.no_grad():
        (cam,) = source.model.batch(image, [sample.clone()]).cams(['final'])
    inside = cam_to_label(cam, sample.gt_tags[None], 0.3, 0.6)[0, :40, :50]
    label = source(item)
    assert torch.equal(label, inside.repeat_interleave(2, 0).repeat_interleave(2, 1))
    assert {0, 255} < set(label.unique().tolist())


@pytest.mark.parametrize(
    'thresholds', [dict(low=0.5, high=0.4), dict(high=1.1), dict(low=-0.1), dict(low=0.8)]
)
def test_thresholds_in_the_wrong_order(make, thresholds):
    with pytest.raises(ConfigError, match='expected 0 <= --low <= --high <= 1'):
        make(**thresholds)


def test_names_that_the_segmentor_does_not_have(make):
    with pytest.raises(ValueError, match=r"--cams among .*'decoder'\], received \['cnn'\]"):
        make(cams='final+cnn')
    with pytest.raises(ValueError, match=r"--labels among \['pixel'\], received token"):
        make(labels='token')


def test_a_segmentor_without_labels():
    with pytest.raises(TypeError, match='makes pseudo labels'):
        CAMLabels(Config(dict(model=cam_config())), 'none.pth')
