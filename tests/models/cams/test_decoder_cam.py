from __future__ import annotations

from types import SimpleNamespace

import torch
from reference_networks import build

from wsss_plugin.models.cams import CAMHead, CAMSource, DecoderCAM


def test_is_the_probability_beside_the_background():
    logits = torch.tensor([2.0, 2.0, 0.0]).view(1, 3, 1, 1)
    cam = DecoderCAM(2).raw({}, None, SimpleNamespace(decode_logits=logits))
    torch.testing.assert_close(cam.flatten(), torch.tensor([0.0, -2.0]).sigmoid())


def test_gives_no_gradient():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    assert not DecoderCAM(2).raw({}, None, SimpleNamespace(decode_logits=logits)).requires_grad


def test_is_a_source_without_weights_or_logits():
    source = build(dict(type='DecoderCAM', num_classes=2, multi_scale=dict(flip=None)))
    assert isinstance(source, CAMSource)
    assert not source.state_dict()
    assert source.logits({}) is None
    assert (source.reads, source.base, source.reads_decoder) == ((), None, True)
    assert source.multi_scale == dict(flip=None)
    assert not source.classifies


def test_the_cam_head_is_a_source_too():
    head = build(dict(type='CAMHead', in_channels=3, num_classes=2, reads=['a', 'b']))
    assert isinstance(head, CAMSource)
    assert isinstance(head, CAMHead)
    assert (head.reads, head.base, head.classifies) == (('a', 'b'), None, True)
