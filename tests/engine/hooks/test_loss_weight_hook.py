from types import SimpleNamespace

import pytest
import torch
from torch import nn

from wsss_plugin.engine.hooks import LossWeightHook
from wsss_plugin.models.losses import BalancedCrossEntropyLoss
from wsss_plugin.models.terms import PatchTokenContrastTerm


class _Hub:
    def __init__(self):
        self.scalars = {}

    def update_scalar(self, name, value):
        self.scalars[name] = value


def _runner(iteration=0):
    head = nn.Module()
    head.loss_decode = nn.ModuleList([BalancedCrossEntropyLoss(0.1), nn.Identity()])
    model = nn.Module()
    model.decode_head = head
    return SimpleNamespace(model=model, iter=iteration, max_iters=200, message_hub=_Hub())


def test_sets_and_logs_the_weight_of_the_iteration():
    hook = LossWeightHook('decode_head.loss_decode.0', ((0, 0.1), (5, 0.5), (9, 0)))
    pred, label = torch.randn(1, 2, 3, 3), torch.ones(1, 3, 3)
    for iteration, expected in [(0, 0.1), (4, 0.1), (5, 0.5), (8, 0.5), (9, 0), (100, 0)]:
        runner = _runner(iteration)
        hook.before_train_iter(runner, 0)
        loss = runner.model.decode_head.loss_decode[0](pred, label)
        torch.testing.assert_close(loss, expected * BalancedCrossEntropyLoss()(pred, label))
        assert runner.message_hub.scalars == {
            'train/decode_head.loss_decode.0.loss_weight': expected
        }


@pytest.mark.parametrize(
    'weights', [(), ((1, 0.1),), ((0, 0.1), (0, 0.5)), ((0, 0.1), (9, 1), (5, 1)), ((0, -0.1),)]
)
def test_refuses_weights_that_say_nothing_clear(weights):
    with pytest.raises(ValueError, match='weights of LossWeightHook'):
        LossWeightHook('decode_head.loss_decode', weights)


@pytest.mark.parametrize('loss', ['decode_head.loss', 'decode_head.loss_decode.1', ''])
def test_refuses_a_loss_that_is_not_there_before_training(loss):
    hook = LossWeightHook(loss, ((0, 0.1),))
    with pytest.raises(ValueError, match=r"for example 'terms\.seg'"):
        hook.before_train(_runner())


def test_sets_the_weight_of_a_term():
    model = nn.Module()
    model.terms = nn.ModuleDict({'ptc': PatchTokenContrastTerm(labels='token', weight=0.2)})
    runner = SimpleNamespace(model=model, iter=5, max_iters=10, message_hub=_Hub())
    LossWeightHook('terms.ptc', ((0, 0.2), (0.5, 0.7))).before_train_iter(runner, 0)
    assert model.terms['ptc'].loss_weight == 0.7
    assert runner.message_hub.scalars == {'train/terms.ptc.loss_weight': 0.7}


def test_accepts_a_loss_of_the_segmentor_before_training():
    LossWeightHook('decode_head.loss_decode.0', ((0, 0.1),)).before_train(_runner())
