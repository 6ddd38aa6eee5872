from __future__ import annotations

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.ops import affinity_pair_labels, displacement_loss


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='DisplacementLoss', **kwargs))


def test_is_the_operator_on_the_labels_of_pairs():
    label = torch.randint(0, 3, (2, 5, 6))
    field = torch.randn(2, 2, 5, 6, requires_grad=True)
    loss = build(loss_weight=2)(field, label, 3, 'complete')
    background, foreground, _ = affinity_pair_labels(label, 3)
    expected = 2 * displacement_loss(field, background, foreground, 3)
    assert_close(loss, expected)
    assert_close(*(torch.autograd.grad(one, field) for one in (loss, expected)))
    assert build().loss_name == 'loss_displacement'


def test_everything_ignored_is_zero():
    label = torch.full((1, 3, 4), 9)
    assert build(ignore_index=9)(torch.randn(1, 2, 3, 4), label, 3, 'complete').item() == 0
