from __future__ import annotations

import pytest
import torch
from reference_networks import build, cam_config, dual_config, small_config

from wsss_plugin.models.forward_pass import ForwardPass


def test_is_what_the_parts_give():
    segmentor = build(small_config()).eval()
    image = torch.randn(2, 3, 48, 64)
    forward = ForwardPass(segmentor, image)
    features = segmentor.backbone.forward_features(image, ['patch', 'inner.9'])
    found = forward.features(['inner.9', 'patch'])
    assert list(found) == ['inner.9', 'patch']
    torch.testing.assert_close(found['patch'], features['patch'])
    aux = segmentor.cams['aux']
    torch.testing.assert_close(forward.raw('aux'), aux.cam(features['inner.9']))
    torch.testing.assert_close(forward.logits('aux'), aux(features['inner.9']))
    torch.testing.assert_close(forward.decode_logits, segmentor.decode_head([features['patch']]))


def test_a_branch_that_nobody_reads_is_not_run():
    segmentor = build(dual_config())
    image = torch.randn(1, 3, 64, 64)
    segmentor.eval()
    names = ('final', 'aux', 'cnn')
    expected = {name: ForwardPass(segmentor, image).raw(name) for name in names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentor.backbone.cnn, 'forward', None)
        for name in ('final', 'aux'):
            found = ForwardPass(segmentor, image).raw(name)
            torch.testing.assert_close(found, expected[name])
    segmentor.backbone.vit.forward_features = None
    torch.testing.assert_close(ForwardPass(segmentor, image).raw('cnn'), expected['cnn'])


def test_blocks_behind_the_last_one_read_are_not_run():
    segmentor, image = build(small_config()).eval(), torch.randn(1, 3, 32, 32)
    expected = ForwardPass(segmentor, image).raw('aux')
    segmentor.backbone.trunk.blocks[10].forward = None
    torch.testing.assert_close(ForwardPass(segmentor, image).raw('aux'), expected)


def test_what_was_planned_is_read_with_the_first_feature():
    segmentor = build(small_config())
    runs = []
    segmentor.backbone.trunk.patch_embed.proj.register_forward_hook(lambda *_: runs.append(1))
    forward = ForwardPass(segmentor, torch.randn(1, 3, 32, 32), features=['patch', 'inner.9'])
    forward.raw('aux')
    forward.raw('final')
    assert len(runs) == 1
    forward.features(['class'])
    assert len(runs) == 2


def test_several_features_of_the_decode_head_come_in_order():
    config = small_config(decode_reads=('inner.3', 'patch'))
    config['decode_head'] = dict(
        type='FCNHead',
        in_channels=[24, 24],
        in_index=[0, 1],
        input_transform='resize_concat',
        channels=8,
        num_classes=6,
        norm_cfg=dict(type='BN'),
    )
    segmentor = build(config)
    forward = ForwardPass(segmentor, torch.randn(1, 3, 32, 32))
    first, second = forward.decode_inputs()
    torch.testing.assert_close(first, forward.features(['inner.3'])['inner.3'])
    torch.testing.assert_close(second, forward.features(['patch'])['patch'])
    assert forward.decode_logits.shape == (1, 6, 2, 2)


def test_a_head_of_the_segmentor_by_its_name():
    config = cam_config(heads=dict(adapter=dict(type='PAR')))
    segmentor = build(config)
    forward = ForwardPass(segmentor, torch.randn(1, 3, 32, 32))
    assert forward.head('adapter') is segmentor.heads['adapter']
    assert forward.source('final') is segmentor.cams['final']
