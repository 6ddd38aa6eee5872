from __future__ import annotations

from types import SimpleNamespace

import pytest

from wsss_plugin.engine.label_export import export_settings
from wsss_plugin.engine.label_export.export_settings import config_fingerprint, file_fingerprint


@pytest.fixture
def settings(tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'abc')

    def make(names=('a', 'b'), **model):
        source = SimpleNamespace(method={'made_by': 'cams'}, thresholds={'low': 0.1, 'high': 0.5})
        images = SimpleNamespace(classes=('background', 'cat'), names=names, pipeline=[])
        config = dict(type='WeakSegmentor', backbone=dict(type='mmseg.ResNet', depth=18), **model)
        return export_settings(config, str(tmp_path / 'a.pth'), source, images, 255)

    return make


def test_what_is_said(settings):
    made = settings(terms=dict(seg=dict(type='SegmentationTerm')))
    assert made['method'] == {
        'type': 'WeakSegmentor',
        'parts': {'backbone': 'ResNet'},
        'made_by': 'cams',
    }
    # SHA-256 of 'abc', by FIPS 180-2.
    assert made['checkpoint'].startswith('ba7816bf8f01cfea414140de5dae2223')
    assert made['classes'] == ['background', 'cat']
    assert made['count'] == 2


def test_what_changes_a_fingerprint(settings):
    first = settings()
    assert settings() == first
    assert settings(pretrained='elsewhere.pth') == first
    assert settings(test_cfg=dict(mode='slide'))['config'] != first['config']
    assert settings(names=('b', 'a'))['list'] != first['list']
    assert settings(names=('b', 'a'))['config'] == first['config']


def test_values_of_a_config():
    assert config_fingerprint(dict(a=1)) != config_fingerprint(dict(a=2))
    # Classes of new-style configs have the same text in every process.
    assert config_fingerprint(dict(type=dict)) == config_fingerprint(dict(type='builtins.dict'))
    assert config_fingerprint(dict(b=dict(init_cfg=1))) == config_fingerprint(dict(b={}))


def test_a_large_file_is_read_in_blocks(tmp_path):
    (tmp_path / 'a').write_bytes(b'a' * (2**20 + 1))
    (tmp_path / 'b').write_bytes(b'a' * 2**20)
    assert file_fingerprint(tmp_path / 'a') != file_fingerprint(tmp_path / 'b')
