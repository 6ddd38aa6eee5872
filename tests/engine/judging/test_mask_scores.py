"""Intervals of mIoU, and thresholds that are chosen out of fold."""

import numpy as np
import pytest
import torch

from wsss_plugin.engine.judging import ImageMaps, MaskScores, choose_thresholds
from wsss_plugin.errors import DataError
from wsss_plugin.evaluation import miou_interval

PAIRS = ((0.1, 0.9), (0.5, 0.5), (0.2, 0.3))


def _labels(rng, truth):
    """Sure of little; sure of all and nearly right; sure of all and mostly wrong."""
    little = torch.full_like(truth, 255)
    little[0] = truth[0]
    nearly = truth.clone()
    nearly[0, 0] = 1 - nearly[0, 0]
    wrong = torch.from_numpy(rng.integers(0, 2, truth.shape))
    return [little, nearly, wrong]


def test_chooses_what_is_right_more_often_than_not():
    rng = np.random.default_rng(0)
    scores = MaskScores(2, PAIRS)
    for number in range(12):
        truth = torch.from_numpy(rng.integers(0, 2, (6, 8)))
        maps = ImageMaps(truth, truth, truth, _labels(rng, truth)[0])
        scores.add(str(number), maps, truth, _labels(rng, truth))
    found = scores.as_json()
    assert (found['thresholds']['low'], found['thresholds']['high']) == (0.5, 0.5)
    assert found['thresholds']['folds'] == 5
    assert found['thresholds']['out_of_fold_labelled'] == 100
    # One pixel of 48 is wrong.
    assert found['thresholds']['out_of_fold_mIoU'] == pytest.approx(100 * 47 / 49, abs=0.2)
    assert '12 masks' in found['thresholds']['said']
    assert found['segmentation'] == {'mIoU': 100, 'low': 100, 'high': 100, 'level': 95}
    assert found['labels']['mIoU'] == 100
    assert found['labels']['labelled'] == pytest.approx(100 / 6, abs=0.01)
    assert found['iou']['restricted'] == [100, 100]


def test_undecided_beats_guessing():
    # Of each class three of ten pixels are right under the second pair, none are decided under
    # the first.
    counts = np.zeros((2, 4, 3, 2), dtype=np.int64)
    counts[1] = [[3, 3], [10, 10], [10, 10]]
    found = choose_thresholds([(0.1, 0.9), (0.5, 0.5)], counts, np.full((4, 2), 10), folds=9)
    assert (found.low, found.high) == (0.1, 0.9)
    assert found.folds == 4
    assert (found.miou, found.labelled) == (None, 0)


def test_a_choice_does_not_see_the_fold_that_scores_it():
    # Either pair is right on half of the images, and all others choose the wrong one for it.
    counts = np.zeros((2, 2, 3, 2), dtype=np.int64)
    right, wrong = [[10, 10], [10, 10], [10, 10]], [[0, 0], [10, 10], [10, 10]]
    counts[0], counts[1] = [right, wrong], [wrong, right]
    found = choose_thresholds(PAIRS[:2], counts, np.full((2, 2), 10), folds=2)
    assert found.miou == 0


def test_refuses_one_mask_and_another_size():
    with pytest.raises(DataError, match='at least two masks'):
        choose_thresholds(PAIRS[:1], np.zeros((1, 1, 3, 2)), np.ones((1, 2)))
    label = torch.zeros(2, 3, dtype=torch.long)
    with pytest.raises(DataError, match=r'b: expected a mask of the size .*\(2, 3\).*\(3, 2\)'):
        MaskScores(2).add('b', ImageMaps(label, label, label, None), label.T)


def test_interval_holds_the_mean_and_narrows_with_images():
    rng = np.random.default_rng(0)
    hit = rng.integers(2, 9, (200, 1, 2))
    counts = np.concatenate([hit, np.full((200, 2, 2), 10)], axis=1)
    few, many = miou_interval(counts[:20]), miou_interval(counts)
    assert few.low < few.miou < few.high
    assert many.high - many.low < (few.high - few.low) / 2
    assert (many.images, many.level) == (200, 0.95)
    with pytest.raises(ValueError, match='one resample'):
        miou_interval(counts, resamples=0)
    with pytest.raises(ValueError, match='counts'):
        miou_interval(counts[0])
