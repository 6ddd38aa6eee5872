"""Counts and rates against a plain confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsss_plugin.evaluation.class_rates import class_rates
from wsss_plugin.evaluation.sparse_counts import count_classes, sum_counts


def confusion(prediction, label, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    for true, predicted in zip(label.flatten(), prediction.flatten(), strict=True):
        if true != 255:
            matrix[true, predicted] += 1
    return matrix


def test_rates_of_summed_images_match_a_confusion_matrix():
    generator = torch.Generator().manual_seed(1)
    parts, total = [], np.zeros((5, 5), int)
    for _ in range(3):
        prediction = torch.randint(0, 4, (9, 7), generator=generator)
        label = torch.randint(0, 4, (9, 7), generator=generator)
        label[0] = 255
        parts.append(count_classes([prediction, label.clamp(max=3)], label, 5))
        total += confusion(prediction, label, 5)
    counts = sum_counts(parts, 5)
    assert counts.shape == (2, 3, 5)
    rates = class_rates(counts[0])
    hit = np.diag(total)[:4]
    labelled, predicted = total.sum(1)[:4], total.sum(0)[:4]
    np.testing.assert_allclose(rates.iou[:4], hit / (labelled + predicted - hit))
    np.testing.assert_allclose(rates.over_activation[:4], 1 - hit / predicted)
    np.testing.assert_allclose(rates.false_negative[:4], 1 - hit / labelled)
    assert rates.pixel_accuracy == pytest.approx(hit.sum() / labelled.sum())
    assert np.isnan(rates.iou[4])
    assert class_rates(counts[1]).means() == {
        'mIoU': 100,
        'mAcc': 100,
        'aAcc': 100,
        'over_activation': 0,
        'false_negative': 0,
    }


def test_everything_ignored_gives_nan():
    part = count_classes([torch.zeros(3, 3)], torch.full((3, 3), 255), 4)
    means = class_rates(sum_counts([part], 4)[0]).means()
    assert np.isnan(list(means.values())).tolist() == [True] * 5


def test_unpredicted_class_has_no_over_activation():
    rates = class_rates(np.array([[5, 0], [6, 0], [5, 1]]))
    assert np.isnan(rates.over_activation[1])
    assert rates.false_negative[1] == 1
