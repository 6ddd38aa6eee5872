from __future__ import annotations

import pytest
import torch

from wsss_plugin.models.pseudo_labels import BackgroundThresholds


@pytest.mark.parametrize(('low', 'high'), [(0.7, 0.25), (0.5, 0.5), (-0.1, 0.5), (0.2, 1.1)])
def test_order(low, high):
    with pytest.raises(ValueError, match=f'received low={low} and high={high}'):
        BackgroundThresholds(low, high)


def test_an_image_takes_the_largest_of_its_classes():
    thresholds = BackgroundThresholds(low=0.2, high=(0.3, 0.5, 0.9))
    tags = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 0, 0]])
    torch.testing.assert_close(thresholds.high_of(tags), torch.tensor([0.3, 0.5, 0.9]))
    assert BackgroundThresholds(low=0.2, high=0.4).high_of(tags) == 0.4


@pytest.mark.parametrize('high', [(), (0.5, 0.2), (0.5, 1.1)])
def test_every_class_has_its_order(high):
    with pytest.raises(ValueError, match='low < high'):
        BackgroundThresholds(low=0.25, high=high)


def test_one_for_each_class():
    with pytest.raises(ValueError, match=r'each of the 3 classes in model\.thresholds, received 2'):
        BackgroundThresholds(low=0.2, high=(0.3, 0.5)).high_of(torch.ones(1, 3))
