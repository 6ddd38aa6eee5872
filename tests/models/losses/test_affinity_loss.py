from __future__ import annotations

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch.testing import assert_close

from wsss_plugin.ops import affinity_loss, affinity_pair_labels


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='AffinityLoss', **kwargs))


def test_is_the_operator_on_the_labels_of_pairs():
    label = torch.randint(0, 3, (2, 5, 6))
    affinity = torch.rand(2, 12, 30, requires_grad=True)
    loss = build(loss_weight=2)(affinity, label, 3, 'complete')
    expected = 2 * affinity_loss(affinity, *affinity_pair_labels(label, 3))
    assert_close(loss, expected)
    assert_close(*(torch.autograd.grad(one, affinity) for one in (loss, expected)))
    assert build().loss_name == 'loss_affinity'


def test_everything_ignored_is_zero():
    loss = build(ignore_index=9)(torch.rand(1, 12, 12), torch.full((1, 3, 4), 9), 3, 'complete')
    assert loss.item() == 0
