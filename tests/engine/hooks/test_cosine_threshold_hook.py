import math
from types import SimpleNamespace

import pytest
from torch import nn

from wsss_plugin.engine.hooks import CosineThresholdHook
from wsss_plugin.models.part_building import build_parts


class _Hub:
    def __init__(self):
        self.scalars = {}

    def update_scalar(self, name, value):
        self.scalars[name] = value


def _runner(iteration=0, max_iters=100, low=0.25):
    model = SimpleNamespace(thresholds=SimpleNamespace(low=low, high=None))
    return SimpleNamespace(model=model, iter=iteration, max_iters=max_iters, message_hub=_Hub())


@pytest.mark.parametrize('iteration', [0, 1, 37, 50, 99, 100])
def test_follows_equation_8(iteration):
    runner = _runner(iteration)
    CosineThresholdHook(0.7, 0.55).before_train_iter(runner, 0)
    expected = 0.7 - 0.5 * (0.7 - 0.55) * (1 - math.cos(math.pi * iteration / 100))
    assert runner.model.thresholds.high == pytest.approx(expected, abs=1e-12)
    assert runner.message_hub.scalars == {'train/high_threshold': runner.model.thresholds.high}


def test_begin_and_total_bound_the_descent():
    hook = CosineThresholdHook(0.7, 0.5, begin=20, total=60)
    seen = []
    for iteration in (0, 20, 40, 60, 90):
        runner = _runner(iteration)
        hook.before_train_iter(runner, iteration)
        seen.append(runner.model.thresholds.high)
    assert seen == pytest.approx([0.7, 0.7, 0.6, 0.5, 0.5])


@pytest.mark.parametrize(
    'options',
    [
        {'start': 0.5, 'end': 0.6},
        {'start': (0.7, 0.7), 'end': (0.5, 0.8)},
        {'start': (0.7, 0.7), 'end': (0.5, 0.6, 0.6)},
        {'start': 1.0, 'end': 0.6},
        {'start': 0.5, 'end': 0.0},
        {'start': 0.7, 'end': 0.6, 'begin': -1},
        {'start': 0.7, 'end': 0.6, 'begin': 5, 'total': 5},
    ],
)
def test_refuses_a_wrong_order(options):
    with pytest.raises(ValueError, match='CosineThresholdHook'):
        CosineThresholdHook(**options)


def test_a_threshold_for_each_class():
    runner = _runner(50)
    CosineThresholdHook((0.7, 0.6), (0.5, 0.6)).before_train_iter(runner, 0)
    assert runner.model.thresholds.high == pytest.approx((0.6, 0.6))
    assert runner.message_hub.scalars == {'train/high_threshold': pytest.approx(0.6)}


def test_targets_are_label_makers_with_thresholds_of_their_own():
    own = dict(type='PixelLabels', cams=('final',), thresholds=dict(low=0.2, high=0.8))
    model = nn.Module()
    model.labels = build_parts({'pixel': own, 'token': {**own, 'thresholds': None}}, 'labels')
    model.thresholds = SimpleNamespace(low=0.25, high=0.7)
    runner = SimpleNamespace(model=model, iter=100, max_iters=100, message_hub=_Hub())
    hook = CosineThresholdHook(0.7, 0.5, targets=('labels.pixel.thresholds',))
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert model.labels['pixel'].thresholds.high == pytest.approx(0.5)
    assert model.thresholds.high == 0.7
    with pytest.raises(TypeError, match=r"'labels\.token\.thresholds'"):
        CosineThresholdHook(0.7, 0.5, targets=('labels.token.thresholds',)).before_train(runner)


def test_checks_the_segmentor_before_training():
    hook = CosineThresholdHook(0.7, 0.55)
    hook.before_train(_runner())
    with pytest.raises(ValueError, match=r'low=0\.55'):
        hook.before_train(_runner(low=0.55))
    with pytest.raises(ValueError, match='max_iters=10'):
        CosineThresholdHook(0.7, 0.55, begin=10).before_train(_runner(max_iters=10))
    runner = _runner()
    runner.model = SimpleNamespace()
    with pytest.raises(TypeError, match=r'thresholds\.low'):
        hook.before_train(runner)
