from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import frequency_weights


@pytest.mark.parametrize(
    ('power', 'expected'),
    [
        (0, [1, 1, 1]),
        # 1, 1/4 and 1/16 over their mean, 21/48.
        (1, [48 / 21, 12 / 21, 3 / 21]),
        (0.5, [12 / 7, 6 / 7, 3 / 7]),
    ],
)
def test_values(power, expected):
    assert_close(frequency_weights([1, 4, 16], power), torch.tensor(expected).float())


def test_with_power_one_all_classes_weigh_alike_over_the_set():
    counts = torch.tensor([3, 50, 7])
    shares = counts * frequency_weights(counts, 1)
    assert_close(shares, shares[0].expand(3))


def test_one_class_weighs_one():
    assert frequency_weights([7], 1).tolist() == [1]


@pytest.mark.parametrize('counts', [[], [3, 0], [[1, 2]], 5, [float('nan')]])
def test_counts_that_are_none(counts):
    with pytest.raises(ValueError, match='number of images of each class, at least 1'):
        frequency_weights(counts)


@pytest.mark.parametrize('power', [-0.1, 1.1, float('nan')])
def test_power_out_of_range(power):
    with pytest.raises(ValueError, match='power from 0 to 1'):
        frequency_weights([1, 2], power)
