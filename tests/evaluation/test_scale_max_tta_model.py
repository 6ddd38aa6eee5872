"""ScaleMaxTTAModel: fusion rule, masks, CAM fields, the test_step of the toolbox."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from reference_networks import build, tiny_config
from torch import nn

import wsss_plugin.models  # noqa: F401  (fills the registries)
from wsss_plugin.engine.benchmark.one_at_a_time_tta_model import OneAtATimeTTAModel
from wsss_plugin.evaluation.scale_max_tta_model import ScaleMaxTTAModel


class Echo(nn.Module):
    """Returns the logits that the test hands over as inputs."""

    out_channels = 3

    def test_step(self, data):
        for logits, sample in zip(data['inputs'], data['data_samples'], strict=True):
            sample.seg_logits = PixelData(data=logits)
            sample.pred_sem_seg = PixelData(data=logits.argmax(0, keepdim=True))
        return data['data_samples']


def augmentations(channels=3):
    generator = torch.Generator().manual_seed(0)
    samples, logits = [], []
    for side in (8, 12):
        for flip in (False, True):
            sample = SegDataSample(
                metainfo={'img_shape': (side, side), 'flip': flip, 'img_path': 'a.jpg'}
            )
            sample.gt_sem_seg = PixelData(data=torch.zeros(1, 5, 7, dtype=torch.long))
            samples.append(sample)
            logits.append(torch.randn(channels, 5, 7, generator=generator))
    return logits, samples


def run(model, logits, samples):
    data = {'inputs': [[x] for x in logits], 'data_samples': [[s] for s in samples]}
    return model.test_step(data)[0]


def test_sum_over_flips_maximum_over_scales():
    logits, samples = augmentations()
    merged = run(ScaleMaxTTAModel(Echo()), logits, samples)
    expected = torch.maximum(logits[0] + logits[1], logits[2] + logits[3])
    torch.testing.assert_close(merged.seg_logits.data, expected)
    assert torch.equal(merged.pred_sem_seg.data, expected.argmax(0, keepdim=True))
    assert merged.img_path == 'a.jpg'
    assert 'gt_sem_seg' in merged
    assert 'cam' not in merged


def test_reverse_rule():
    logits, samples = augmentations()
    model = ScaleMaxTTAModel(Echo(), flip_fusion='max', scale_fusion='sum')
    expected = torch.maximum(logits[0], logits[1]) + torch.maximum(logits[2], logits[3])
    torch.testing.assert_close(run(model, logits, samples).seg_logits.data, expected)


def test_cam_of_the_first_augmentation_is_kept():
    logits, samples = augmentations()
    for index, sample in enumerate(samples):
        sample.cam = PixelData(score=torch.full((1, 5, 7), index / 4))
    merged = run(ScaleMaxTTAModel(Echo()), logits, samples)
    assert merged.cam.score.unique().tolist() == [0]


def test_a_model_without_logits_is_refused():
    segmentor = MODELS.build(
        dict(
            type='WeakSegmentor',
            data_preprocessor=SegDataPreProcessor(size=(32, 32)),
            backbone=dict(type='ResNet', depth=18, base_channels=8),
            cams=dict(final=dict(type='CAMHead', reads='out.-1', in_channels=64, num_classes=2)),
            multi_scale=dict(scales=(1.0,)),
        )
    )
    _, samples = augmentations()
    for sample in samples:
        sample.gt_tags = torch.ones(2)
        sample.set_metainfo({'ori_shape': (5, 7)})
    inputs = [torch.zeros(3, *sample.img_shape, dtype=torch.uint8) for sample in samples]
    with torch.no_grad(), pytest.raises(KeyError, match=r'seg_logits of a\.jpg .*without --tta'):
        run(ScaleMaxTTAModel(segmentor.eval()), inputs, samples)


def test_registered():
    assert MODELS.get('ScaleMaxTTAModel') is ScaleMaxTTAModel


def test_errors():
    with pytest.raises(ValueError, match="received 'mean'"):
        ScaleMaxTTAModel(Echo(), flip_fusion='mean')
    logits, samples = augmentations(channels=1)
    with pytest.raises(ValueError, match='two classes'):
        run(ScaleMaxTTAModel(Echo()), logits, samples)
    logits, _ = augmentations()
    with pytest.raises(KeyError, match='img_shape'):
        run(ScaleMaxTTAModel(Echo()), logits, [SegDataSample() for _ in logits])


def test_maximum_of_probabilities():
    logits, samples = augmentations()
    model = ScaleMaxTTAModel(Echo(), scale_fusion='max', of_probabilities=True)
    merged = run(model, logits[::2], samples[::2])
    expected = torch.maximum(logits[0].softmax(0), logits[2].softmax(0))
    torch.testing.assert_close(merged.seg_logits.data.exp(), expected)
    assert torch.equal(merged.pred_sem_seg.data[0], expected.argmax(0))
    of_logits = torch.maximum(logits[0], logits[2]).argmax(0)
    assert (merged.pred_sem_seg.data[0] != of_logits).any()


class Doubles(nn.Module):
    """Stacks images of one size, without the rounding to float32 of the toolbox."""

    def forward(self, data, training=False):
        assert not training
        return {**data, 'inputs': torch.stack(data['inputs'])}


def scaled(sides, ori_shape=(20, 30)):
    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for side in sides:
        image = torch.randn(3, side, side + 16, dtype=torch.float64, generator=generator)
        for flip in (False, True):
            meta = dict(img_shape=image.shape[1:], ori_shape=ori_shape, flip=flip)
            meta.update(flip_direction='horizontal', img_path=f'{side}.jpg')
            samples.append(SegDataSample(metainfo=meta))
            inputs.append(image.flip(-1) if flip else image)
    return inputs, samples


@torch.no_grad()
def test_flips_and_images_of_one_size_are_one_batch(monkeypatch):
    segmentor = build(tiny_config()).double().eval()
    segmentor.data_preprocessor = Doubles()
    predict, seen = segmentor.predict, []

    def watched(inputs, data_samples):
        seen.append(tuple(inputs.shape))
        return predict(inputs, data_samples)

    # Two images, of which the second is at its second scale as large as the first at its first.
    images = [scaled((48, 64)), scaled((32, 48), (21, 31))]
    data = {
        key: [list(one) for one in zip(*(image[index] for image in images), strict=True)]
        for index, key in enumerate(('inputs', 'data_samples'))
    }
    alone = OneAtATimeTTAModel(segmentor)
    expected = [
        alone.test_step(
            {key: [[part[place]] for part in copy.deepcopy(data[key])] for key in data}
        )[0]
        for place in range(2)
    ]
    monkeypatch.setattr(segmentor, 'predict', watched)
    found = ScaleMaxTTAModel(segmentor).test_step(data)
    assert sorted(seen) == [(2, 3, 32, 48), (2, 3, 64, 80), (4, 3, 48, 64)]
    for one, other, size in zip(found, expected, ((20, 30), (21, 31)), strict=True):
        assert one.seg_logits.data.shape == (6, *size)
        torch.testing.assert_close(one.seg_logits.data, other.seg_logits.data, rtol=0, atol=1e-10)
        assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)
        assert one.img_path == other.img_path
