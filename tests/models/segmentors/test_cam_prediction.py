from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from reference_networks import build, random_batch, small_config

from wsss_plugin.errors import DataError
from wsss_plugin.models.segmentors.cam_prediction import (
    add_cam_predictions,
    add_label_prediction,
)


def sample(tags, **metainfo):
    made = SegDataSample(metainfo=dict(ori_shape=(2, 3), **metainfo))
    made.gt_tags = torch.tensor(tags)
    return made


def test_only_tagged_classes_are_scored():
    cam = torch.tensor([0.2, 0.9, 0.4])[None, :, None, None].expand(1, 3, 2, 3)
    samples = [sample([1.0, 0.0, 1.0])]
    add_cam_predictions(samples, dict(cam=cam))
    assert (samples[0].cam.label == 3).all()
    torch.testing.assert_close(samples[0].cam.score, torch.full((1, 2, 3), 0.4))


def test_the_flip_of_the_input_is_undone():
    cam = torch.arange(6.0).view(1, 1, 2, 3) / 6
    for direction, axis in (('horizontal', -1), ('vertical', -2)):
        samples = [sample([1.0], flip=True, flip_direction=direction)]
        add_cam_predictions(samples, dict(cam=cam.flip(axis)))
        torch.testing.assert_close(samples[0].cam.score, cam[0])


def test_an_image_without_tags_scores_zero():
    samples = [sample([0.0])]
    add_cam_predictions(samples, dict(cam=torch.ones(1, 1, 2, 3)))
    assert samples[0].cam.score.sum() == 0


@pytest.mark.parametrize('training', [True, False])
def test_the_padding_of_the_input_is_cut_off(training):
    padding = dict(size_divisor=4, pad_val=9) if training else dict(test_cfg=dict(size_divisor=4))
    preprocessor = MODELS.build(dict(type='SegDataPreProcessor', **padding))
    image = torch.arange(6.0).view(1, 2, 3).expand(3, 2, 3)
    data = dict(inputs=[image], data_samples=[sample([1.0], img_shape=(2, 3))])
    data['data_samples'][0].gt_sem_seg = PixelData(data=torch.zeros(1, 2, 3))
    batch = preprocessor(data, training)
    assert batch['inputs'].shape == (1, 3, 4, 4)
    add_cam_predictions(batch['data_samples'], dict(cam=batch['inputs'][:, :1]))
    torch.testing.assert_close(batch['data_samples'][0].cam.score, image[:1])


def test_a_label_map_keeps_its_values_at_the_original_size():
    label = torch.tensor([[[3, 255]]])
    samples = [sample([1.0], flip=True, flip_direction='horizontal'), sample([1.0])]
    del samples[1].gt_tags
    add_label_prediction(samples, 'pseudo_label', label.expand(2, 1, 2))
    assert samples[0].pseudo_label.data.tolist() == [[[255, 255, 3]] * 2]
    assert samples[0].pseudo_label.data.dtype == label.dtype
    assert 'pseudo_label' not in samples[1]


def test_an_image_smaller_than_a_patch_is_named():
    segmentor = build(small_config())
    inputs, samples = random_batch()
    samples[0].set_metainfo({'img_path': 'images/thin.png'})
    with pytest.raises(DataError, match=r'one patch, received \(4, 32\) for images/thin\.png'):
        segmentor.predict(inputs['view1'][:1, :, :4, :32], samples[:1])
