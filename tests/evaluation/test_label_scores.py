import math

import numpy as np
import pytest
import torch

from wsss_plugin.evaluation import LabelScores


def test_counts_by_hand():
    scores = LabelScores(num_classes=3)
    label = torch.tensor([[0, 1, 255, 2], [0, 0, 1, 255]])
    truth = torch.tensor([[0, 1, 1, 1], [2, 0, 0, 255]])
    scores.add(label, truth)
    summary = scores.summary()
    # Where labelled: background hit 2 of union 4, class 1 hit 1 of union 3, class 2 never hit.
    assert summary['mIoU'] == pytest.approx(100 * (2 / 4 + 1 / 3 + 0) / 3, abs=0.01)
    # Predicted as class 1 are 2 pixels and as class 2 one; of class 1 two are labelled.
    assert summary['over_activation'] == pytest.approx(100 * (1 / 2 + 1) / 2, abs=0.01)
    assert summary['false_negative'] == pytest.approx(100 * (1 / 2 + 1) / 2, abs=0.01)
    assert summary['labelled'] == pytest.approx(100 * 6 / 7, abs=0.01)
    assert summary['foreground_right'] == 25.0
    assert summary['foreground_as_background'] == 25.0
    assert summary['background_as_foreground'] == pytest.approx(100 / 3, abs=0.01)


def test_images_add_up():
    torch.manual_seed(0)
    labels, truths = torch.randint(0, 3, (2, 4, 5)), torch.randint(0, 3, (2, 4, 5))
    apart, together = LabelScores(3), LabelScores(3)
    for label, truth in zip(labels, truths, strict=True):
        apart.add(label, truth)
    together.add(labels.flatten(0, 1), truths.flatten(0, 1))
    assert apart.summary() == together.summary()


def test_a_label_that_is_the_mask_is_perfect():
    truth = torch.tensor([[0, 1, 255]])
    scores = LabelScores(2)
    scores.add(truth, truth)
    summary = scores.summary()
    assert summary['mIoU'] == summary['labelled'] == summary['foreground_right'] == 100.0
    assert summary['foreground_as_background'] == summary['background_as_foreground'] == 0.0


def test_everything_ignored_has_no_miou():
    scores = LabelScores(2)
    scores.add(torch.full((2, 2), 255), torch.tensor([[0, 1], [1, 0]]))
    summary = scores.summary()
    assert math.isnan(summary['mIoU'])
    assert summary['labelled'] == 0.0


def test_nothing_added_is_undefined():
    assert np.isnan(list(LabelScores(2).summary().values())).tolist() == [True] * 7


def test_sizes_have_to_agree():
    with pytest.raises(ValueError, match=r'received \(1, 2\) and \(2, 1\)'):
        LabelScores(2).add(torch.zeros(1, 2), torch.zeros(2, 1))
