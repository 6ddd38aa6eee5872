from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.models.necks import ActivationModulationNeck


def test_modulates_every_map():
    neck = MODELS.build(
        {'type': 'ActivationModulationNeck', 'in_channels': [8, 16], 'reduction': 4}
    ).eval()
    maps = torch.rand(2, 8, 6, 6), torch.rand(2, 16, 3, 3)
    out = neck(maps)
    assert isinstance(out, tuple)
    for modulation, given, result in zip(neck.modulations, maps, out, strict=True):
        assert_close(result, modulation(given))


def test_errors():
    with pytest.raises(ValueError, match='in_channels'):
        ActivationModulationNeck(in_channels=[])
    with pytest.raises(ValueError, match='out_indices'):
        ActivationModulationNeck(in_channels=[4])([torch.rand(1, 4, 2, 2)] * 2)
    with pytest.raises(ValueError, match=r'of \(4, 8\) channels .* received \(4, 6\)'):
        ActivationModulationNeck(in_channels=[4, 8])([torch.rand(1, n, 2, 2) for n in (4, 6)])
