from __future__ import annotations

from pathlib import Path

import pytest
from reference_networks import build, small_config

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ('name', 'config'),
    [
        ('TokenContrastSegmentor', 'configs/toco/voc.py'),
        ('DualBranchSegmentor', 'configs/dual_vit_r50_voc.py'),
        ('CAMSegmentor', 'configs/cam/voc.py'),
    ],
)
def test_a_config_of_version_0_1_is_told_its_successor(name, config):
    with pytest.raises(ValueError, match=f"type='WeakSegmentor', received '{name}'.*{config}"):
        build(dict(type=name, backbone=dict(type='ResNet'), cam_head=dict(), unknown=1))
    assert (ROOT / config).is_file()


def test_old_keys_under_a_new_config_are_told_their_place():
    config = small_config(cam_head=dict(num_classes=2), loss_starts=dict(seg=3), spelt=1)
    message = (
        r'received also cam_head, loss_starts, spelt; in version 0\.2 cam_head is now cams\.final'
    )
    with pytest.raises(TypeError, match=message):
        build(config)
    with pytest.raises(TypeError, match='received also spelt; check their spelling'):
        build(small_config(spelt=1))
