from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from torch.nn import functional as F

from wsss_plugin.engine.hooks import IterationSeedHook

END = 8


@pytest.fixture
def dropping(toy):
    """The toy model with dropout on its inputs."""

    @MODELS.register_module(force=True)
    class DroppingModel(toy.ToyModel):
        def forward(self, inputs, data_samples=None, mode='tensor'):
            return super().forward(F.dropout(torch.stack(list(inputs)), 0.5), data_samples, mode)

    yield
    MODELS.module_dict.pop('DroppingModel')


def _train(toy, work_dir, max_iters=END, resume=False, hook=True, **options):
    config = toy.toy_config(work_dir, **options)
    config.model.type = 'DroppingModel'
    config.train_cfg.max_iters = max_iters
    config.custom_hooks += [{'type': 'IterationSeedHook'}] if hook else []
    config.update(resume=resume, experiment_name=f'{work_dir.name}{max_iters}{resume}{hook}')
    return toy.train(config)[1].model.state_dict()


def _drawn():
    return random.random(), float(np.random.random()), float(torch.rand(()))


def _runner(seed=0, rank=0, iteration=0):
    return SimpleNamespace(seed=seed, rank=rank, iter=iteration)


def _inside(**place):
    hook, runner = IterationSeedHook(), _runner(**place)
    hook.before_train_iter(runner, 0)
    drawn = _drawn()
    hook.after_train_iter(runner, 0)
    return drawn


@pytest.mark.usefixtures('dropping')
@pytest.mark.parametrize('options', [{}, {'accumulative_counts': 2}])
def test_a_resumed_training_drops_the_same(toy, tmp_path, options):
    whole = _train(toy, tmp_path / 'whole', **options)
    _train(toy, tmp_path / 'parts', END // 2, **options)
    resumed = _train(toy, tmp_path / 'parts', resume=True, **options)
    assert all(torch.equal(weight, resumed[name]) for name, weight in whole.items())


@pytest.mark.usefixtures('dropping')
def test_without_the_hook_it_would_not(toy, tmp_path):
    whole = _train(toy, tmp_path / 'whole', hook=False)
    _train(toy, tmp_path / 'parts', END // 2, hook=False)
    resumed = _train(toy, tmp_path / 'parts', resume=True, hook=False)
    assert not all(torch.equal(weight, resumed[name]) for name, weight in whole.items())


def test_draws_follow_from_seed_process_and_iteration():
    places = [{}, {'seed': 1}, {'rank': 1}, {'iteration': 1}, {'seed': 1, 'rank': 1}]
    assert len({_inside(**place) for place in places}) == len(places)
    assert all(_inside(**place) == _inside(**place) for place in places)


def test_outside_nothing_is_noticed():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    expected = [_drawn(), _drawn()]
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    received = [_drawn()]
    hook = IterationSeedHook()  # kept, since one that is gone puts the states back as well
    hook.before_train_iter(_runner(iteration=5), 0)
    _drawn()
    hook.after_train_iter(_runner(iteration=5), 0)
    assert [*received, _drawn()] == expected


def test_an_end_without_a_beginning_changes_nothing():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    IterationSeedHook().after_train_iter(_runner(), 0)
    assert torch.equal(torch.get_rng_state(), state)
