from __future__ import annotations

import pytest
from mmengine.registry import init_default_scope
from reference_networks import build, cam_config, small_config

from wsss_plugin.models.part_building import build_decode_head, build_parts, foreground_classes


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


def test_parts_are_built_by_sorted_name_with_their_defaults():
    head = dict(type='CAMHead', in_channels=3)
    configs = dict(b=dict(head), c=None, a=dict(head, num_classes=4))
    parts = build_parts(configs, 'cams', dict(num_classes=2))
    assert list(parts) == ['a', 'b']
    assert [part.num_classes for part in parts.values()] == [4, 2]
    assert configs['b'] == head
    assert not build_parts(None, 'cams')


@pytest.mark.parametrize('name', ['a.b', '', 'keys', 'training', 'items', 3])
def test_names_that_no_module_can_have_are_refused(name):
    with pytest.raises(ValueError, match=rf'names without dots in model\.cams.*received {name!r}'):
        build_parts({name: dict(type='PAR')}, 'cams')


@pytest.mark.parametrize('config', ['PAR', 3, dict(num_iter=2), ['PAR']])
def test_what_is_no_config_is_refused(config):
    with pytest.raises(TypeError, match=r'model\.heads\.some to be a dict with type.*None'):
        build_parts(dict(some=config), 'heads')


def test_the_decode_head_has_no_loss_of_its_own():
    config = dict(type='LargeFOVHead', in_channels=3, num_classes=2, channels=4)
    assert build_decode_head(None) is None
    assert build_decode_head(config).num_classes == 2
    loss = dict(type='BalancedCrossEntropyLoss')
    with pytest.raises(ValueError, match=r'SegmentationTerm.*model\.decode_head\.loss_decode'):
        build_decode_head(dict(config, loss_decode=loss))


def test_the_number_of_classes_is_that_of_what_predicts():
    config = dict(type='LargeFOVHead', in_channels=3, num_classes=4, channels=4)
    assert foreground_classes(build_decode_head(config), {}, None) == 3
    cams = build_parts(dict(final=dict(type='CAMHead', in_channels=3, num_classes=2)), 'cams')
    assert foreground_classes(None, cams, None) == 2
    assert foreground_classes(None, {}, dict(affinity=dict(type='AffinityHead'))) == 0
    with pytest.raises(ValueError, match=r'decode head, or a CAM source called final.*cams=\[\]'):
        foreground_classes(None, {}, None)


def test_a_segmentor_needs_something_that_predicts():
    cams = dict(final=None, other=cam_config()['cams']['final'])
    with pytest.raises(ValueError, match=r"called final.*decode_head=None.*\['other'\]"):
        build(cam_config(cams=cams))


def test_none_removes_a_part_of_every_kind():
    config = small_config(
        cams=dict(aux=None),
        labels=dict(token=None, region=dict(cams=('final',)), pixel=dict(filters=dict(noise=None))),
        terms=dict(ptc=None),
        heads=dict(adapter=None),
    )
    segmentor = build(config)
    assert list(segmentor.cams) == ['final']
    assert list(segmentor.labels) == ['pixel', 'region']
    assert list(segmentor.terms) == ['cls', 'ctc', 'seg']
    assert not segmentor.heads
    assert not segmentor.labels['pixel'].filters
