from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from wsss_plugin.engine.fingerprints import weights_fingerprint
from wsss_plugin.engine.label_export import export_settings


@pytest.fixture
def settings(tmp_path):
    torch.save({'state_dict': {'a': torch.zeros(2)}}, tmp_path / 'a.pth')

    def make(names=('a', 'b'), **model):
        source = SimpleNamespace(method={'made_by': 'cams'}, thresholds={'low': 0.1, 'high': 0.5})
        images = SimpleNamespace(classes=('background', 'cat'), names=names, pipeline=[])
        config = dict(type='WeakSegmentor', backbone=dict(type='mmseg.ResNet', depth=18), **model)
        return export_settings(config, str(tmp_path / 'a.pth'), source, images, 255)

    return make


def test_what_is_said(settings, tmp_path):
    made = settings(terms=dict(seg=dict(type='SegmentationTerm')))
    assert made['method'] == {
        'type': 'WeakSegmentor',
        'parts': {'backbone': 'ResNet'},
        'made_by': 'cams',
    }
    assert made['checkpoint'] == weights_fingerprint(tmp_path / 'a.pth')
    assert made['classes'] == ['background', 'cat']
    assert made['count'] == 2


def test_what_changes_a_fingerprint(settings):
    first = settings()
    assert settings() == first
    assert settings(pretrained='elsewhere.pth') == first
    assert settings(test_cfg=dict(mode='slide'))['config'] != first['config']
    assert settings(names=('b', 'a'))['list'] != first['list']
    assert settings(names=('b', 'a'))['config'] == first['config']
