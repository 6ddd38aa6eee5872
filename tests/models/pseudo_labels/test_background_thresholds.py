from __future__ import annotations

import pytest

from wsss_plugin.models.pseudo_labels import BackgroundThresholds


def test_values_are_kept_and_can_change():
    thresholds = BackgroundThresholds(low=0.25, high=0.7)
    thresholds.high = 0.6
    assert (thresholds.low, thresholds.high) == (0.25, 0.6)


@pytest.mark.parametrize(('low', 'high'), [(0.7, 0.25), (0.5, 0.5), (-0.1, 0.5), (0.2, 1.1)])
def test_order(low, high):
    with pytest.raises(ValueError, match=f'received low={low} and high={high}'):
        BackgroundThresholds(low, high)
