"""ScaleMaxTTAModel: fusion rule, masks, CAM fields, the test_step of the toolbox."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

import wsss_plugin.models  # noqa: F401  (fills the registries)
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
