from __future__ import annotations

import torch
from mmseg.structures import SegDataSample

from wsss_plugin.models.segmentors.cam_prediction import add_cam_predictions


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


def test_the_padding_of_the_input_is_cut_off():
    cam = torch.arange(6.0).view(1, 1, 2, 3) / 6
    padded = torch.nn.functional.pad(cam, (1, 2, 0, 1), value=9.0)
    samples = [sample([1.0], padding_size=[1, 2, 0, 1])]
    add_cam_predictions(samples, dict(cam=padded))
    torch.testing.assert_close(samples[0].cam.score, cam[0])
