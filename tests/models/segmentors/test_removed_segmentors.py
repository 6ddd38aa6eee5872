from __future__ import annotations

from pathlib import Path

import pytest
from reference_networks import build

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ('name', 'config'),
    [
        ('TokenContrastSegmentor', 'configs/toco_vit_b_voc.py'),
        ('DualBranchSegmentor', 'configs/dual_vit_r50_voc.py'),
        ('CAMSegmentor', 'configs/cam_r50_voc.py'),
    ],
)
def test_a_config_of_version_0_1_is_told_its_successor(name, config):
    with pytest.raises(ValueError, match=f"type='WeakSegmentor', received '{name}'.*{config}"):
        build(dict(type=name, backbone=dict(type='ResNet'), cam_head=dict(), unknown=1))
    assert (ROOT / config).is_file()
