from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.model import BaseDataPreprocessor
from mmengine.runner import get_priority
from mmseg.registry import HOOKS
from torch import nn

from wsss_plugin.engine.hooks import MeanDisplacementHook, SafeCheckpointHook
from wsss_plugin.models.heads import IRNHead

WIDTHS = (4, 4, 4, 4, 4)


class Segmentor(nn.Module):
    """Reads five maps straight from the image."""

    def __init__(self):
        super().__init__()
        self.data_preprocessor = BaseDataPreprocessor()
        head = IRNHead(in_channels=WIDTHS, scales=(1,) * 5, edge_channels=4, channels=(8, 16, 16))
        self.heads = nn.ModuleDict(dict(irn=head, other=nn.Identity()))

    def batch(self, inputs, data_samples):
        assert data_samples == ['sample']
        return SimpleNamespace(
            main=SimpleNamespace(features=lambda names: dict.fromkeys(names, inputs))
        )


def runner(model, iteration=9):
    loader = [dict(inputs=torch.randn(2, 4, 5, 6), data_samples=['sample']) for _ in range(3)]
    return SimpleNamespace(model=model, iter=iteration, max_iters=10, train_dataloader=loader)


def test_mean_over_the_batches_is_stored_at_the_end():
    model, hook = Segmentor().train(), HOOKS.build(dict(type='MeanDisplacementHook', batches=2))
    head = model.heads['irn']
    before = runner(model, iteration=8)
    hook.before_train(before)
    hook.after_train_iter(before, 8)
    assert head.mean_displacement.tolist() == [0, 0]
    last = runner(model)
    hook.after_train_iter(last, 9)
    with torch.no_grad():
        fields = [head([data['inputs']] * 5)[1] for data in last.train_dataloader[:2]]
    expected = torch.cat(fields).mean(dim=(0, 2, 3))
    torch.testing.assert_close(head.mean_displacement, expected)
    assert expected.abs().min() > 0


def test_runs_before_checkpoints_are_written():
    own = get_priority(MeanDisplacementHook.priority)
    assert own < get_priority(CheckpointHook.priority)
    assert own < get_priority(SafeCheckpointHook.priority)


@pytest.mark.parametrize('head', ['none', 'other'])
def test_the_head_is_checked_before_training(head):
    with pytest.raises(ValueError, match=rf"received '{head}'; the model has \['irn', 'other'\]"):
        MeanDisplacementHook(head).before_train(runner(Segmentor()))


def test_batches_are_checked():
    with pytest.raises(ValueError, match='from 1, received 0'):
        MeanDisplacementHook(batches=0)
