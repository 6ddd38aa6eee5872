from __future__ import annotations

import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from wsss_plugin.engine.hooks import unreached_parameters_hook
from wsss_plugin.engine.unreached_parameters import phases, unreached_parameters


class _Term(nn.Module):
    def __init__(self, start, trains=()):
        super().__init__()
        self.start, self.trains = start, trains
        self.own = nn.Linear(1, 1)


class _Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({'a': nn.Linear(1, 1), 'b': nn.Linear(1, 1)})
        self.frozen = nn.Linear(1, 1).requires_grad_(False)
        self.terms = nn.ModuleDict({'cam': _Term(0, ('heads.a',)), 'seg': _Term(4, ('heads.b',))})

    def phases(self):
        return [4, 0]


def test_all_terms_have_begun():
    model = _Model()
    assert set(unreached_parameters(model)) == {
        f'{path}.{kind}'
        for path in ('heads.a', 'heads.b', 'terms.cam.own', 'terms.seg.own')
        for kind in ('weight', 'bias')
    }
    model.heads['a'](torch.ones(1, 1)).sum().backward()
    unreached = unreached_parameters(model)
    assert unreached['heads.b.weight'] == 'terms.seg'
    assert unreached['terms.cam.own.bias'] == 'terms.cam'
    assert 'heads.a.weight' not in unreached


def test_before_a_term_begins_nothing_is_expected_of_it():
    model = _Model()
    assert phases(model) == [0, 4]
    assert set(unreached_parameters(model, (), 0).values()) == {'terms.cam'}
    assert len(unreached_parameters(model, (), 3)) == 4
    assert len(unreached_parameters(model, (), 4)) == 8


def test_terms_inside_other_models():
    model = nn.Module()
    model.students = nn.ModuleDict({'x': _Model()})
    assert unreached_parameters(model)['students.x.heads.b.bias'] == 'students.x.terms.seg'
    assert phases(model) == [0]


@pytest.fixture
def train(toy, tmp_path, monkeypatch):
    """Trains the toy with heads that begin late; returns the warnings with their iterations."""
    said = []

    def hear(text, **_):
        said.append(text)

    monkeypatch.setattr(unreached_parameters_hook, 'print_log', hear)

    def train(phases, losses, **changes):
        forward = toy.ToyModel.forward
        iteration = []

        def some(self, *args, **kwargs):
            found = forward(self, *args, **kwargs)
            iteration.append(1)
            return {name: found[name] for name in losses(len(iteration) - 1)}

        monkeypatch.setattr(toy.ToyModel, 'forward', some)
        monkeypatch.setattr(toy.ToyModel, 'phases', lambda _: phases, raising=False)
        monkeypatch.setattr(toy.RecordHook, 'after_train_iter', lambda *_, **__: None)
        config = toy.toy_config(tmp_path, **changes)
        config.custom_hooks += [dict(type='UnreachedParametersHook')]
        config.pop('model_wrapper_cfg')
        Runner.from_cfg(config).train()
        return said

    return train


def test_nothing_is_said_where_all_learn(train):
    assert train([0], lambda _: ['loss_vit', 'loss_cnn']) == []


def test_a_branch_that_no_loss_reaches_is_named_once(train):
    (said,) = train([0, 2], lambda _: ['loss_vit'])
    assert 'backbone.cnn.weight, backbone.cnn.bias' in said
    assert 'cams.cnn.bias in iteration 3' in said
    assert 'vit' not in said


def test_a_branch_that_begins_late_is_awaited(train):
    late = {True: ['loss_vit', 'loss_cnn'], False: ['loss_vit']}
    assert train([0, 5], lambda iteration: late[iteration >= 5]) == []


def test_accumulated_steps(train):
    (said,) = train([0, 5], lambda _: ['loss_cnn'], accumulative_counts=4, constant=True)
    assert 'backbone.vit.weight' in said
    assert 'in iteration 8' in said
