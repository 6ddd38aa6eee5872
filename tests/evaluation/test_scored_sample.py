from __future__ import annotations

import numpy as np
import pytest
import torch

from wsss_plugin.evaluation.scored_sample import (
    crf_probabilities,
    image_groups,
    image_name,
    image_size,
    true_label,
)

MASK = torch.tensor([[0, 2, 9], [1, 2, 0]])
SAMPLE = dict(img_path='/d/a.jpg', gt_sem_seg=dict(data=MASK[None]))


def test_the_mask_without_its_channel():
    assert torch.equal(true_label(SAMPLE, num_classes=3, ignore_index=9), MASK)
    with pytest.raises(ValueError, match=r'0 to 1 or 9 in the mask of /d/a\.jpg, received 2;'):
        true_label(SAMPLE, num_classes=2, ignore_index=9)
    with pytest.raises(ValueError, match=r'0 to 2 or 255 in .*, received 9;'):
        true_label(SAMPLE, num_classes=3, ignore_index=255)
    with pytest.raises(KeyError, match=r'gt_sem_seg of /d/a\.jpg'):
        true_label(dict(img_path='/d/a.jpg'), num_classes=3, ignore_index=255)


def test_nothing_is_scored_against_pseudo_labels():
    with pytest.raises(ValueError, match=r'true mask of /d/a\.jpg, received a pseudo label of out'):
        true_label(dict(SAMPLE, label_dir='out'), num_classes=10, ignore_index=255)


def test_probabilities_are_those_of_the_logits():
    logits = torch.tensor([[1.0, 0.0], [3.0, 0.5]]).log()[:, None]
    found = crf_probabilities(dict(seg_logits=dict(data=logits)), torch.tensor([[1, 1]]), 2)
    assert found.dtype == np.float16
    assert found.tolist() == [[[0.25, 0.0]], [[0.75, 1.0]]]


def test_logits_of_another_prediction_are_refused():
    logits, label = torch.zeros(3, 2, 4), torch.zeros(2, 4, dtype=torch.long)
    sample = dict(img_path='/d/a.jpg')
    with pytest.raises(KeyError, match=r'seg_logits of /d/a\.jpg'):
        crf_probabilities(sample, label, 3)
    sample['seg_logits'] = dict(data=logits)
    with pytest.raises(RuntimeError, match='ScaleMaxTTAModel'):
        crf_probabilities(sample, label + 1, 3)
    with pytest.raises(ValueError, match='expected seg_logits of 4 classes'):
        crf_probabilities(sample, label, 4)


def test_what_a_sample_says_of_its_image():
    assert image_name(SAMPLE) == '/d/a.jpg'
    assert image_name({}) == 'an image without img_path'
    assert image_groups(dict(groups='plain')) == ('plain',)
    assert image_groups(dict(groups=['a', 'b'])) == ('a', 'b')
    assert image_groups({}) == ()
    assert image_size(dict(ori_shape=torch.Size((2, 4))), 'ori_shape') == (2, 4)
    assert image_size({}, 'ori_shape') is None
