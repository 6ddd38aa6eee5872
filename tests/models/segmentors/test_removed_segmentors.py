import pytest
from mmseg.registry import MODELS

import wsss_plugin  # noqa: F401  (fills the registries)


@pytest.mark.parametrize(
    ('name', 'config'),
    [
        ('TokenContrastSegmentor', 'configs/toco_vit_b_voc.py'),
        ('DualBranchSegmentor', 'configs/dual_vit_r50_voc.py'),
        ('CAMSegmentor', 'configs/cam_r50_voc.py'),
    ],
)
def test_names_the_config_that_takes_its_place(name, config):
    with pytest.raises(ValueError, match=rf"'WeakSegmentor', received '{name}'.*{config}"):
        MODELS.build(dict(type=name, backbone=dict(type='ResNet'), cam_scales=(1.0,)))
