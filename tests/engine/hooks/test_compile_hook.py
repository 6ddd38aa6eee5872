from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from reference_networks import build, random_batch, small_config

from wsss_plugin.engine.hooks import CompileHook
from wsss_plugin.errors import ConfigError

BLOCKS = 'backbone.trunk.blocks.*'
EAGER = {'backend': 'aot_eager'}


@pytest.fixture
def segmentor():
    torch.manual_seed(0)
    return build(small_config()).double()


def _losses(segmentor):
    inputs, samples = random_batch()
    inputs = {name: view.double() for name, view in inputs.items()}
    segmentor.zero_grad()
    losses = segmentor.loss(inputs, samples)
    sum(value.sum() for name, value in losses.items() if 'loss' in name).backward()
    weights = segmentor.named_parameters()
    return losses, {name: weight.grad for name, weight in weights if weight.grad is not None}


def _compile(segmentor, *modules, **options):
    CompileHook(modules, options or EAGER).before_train(SimpleNamespace(model=segmentor))


@pytest.mark.usefixtures('fresh_dynamo')
@pytest.mark.parametrize('modules', [[BLOCKS], ['backbone.trunk.blocks.0', 'decode_head']])
def test_losses_and_gradients_are_equal(segmentor, modules):
    losses, gradients = _losses(segmentor)
    names = list(segmentor.state_dict())
    _compile(segmentor, *modules)
    for _ in range(2):
        compiled, theirs = _losses(segmentor)
        torch.testing.assert_close(compiled, losses, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(theirs, gradients, rtol=1e-9, atol=1e-12)
    assert list(segmentor.state_dict()) == names


def test_what_is_named_is_compiled(segmentor):
    _compile(segmentor, BLOCKS)
    compiled = [
        name for name, part in segmentor.named_modules() if part._compiled_call_impl is not None
    ]
    blocks = len(segmentor.backbone.trunk.blocks)
    assert compiled == [f'backbone.trunk.blocks.{i}' for i in range(blocks)]


@pytest.mark.usefixtures('fresh_dynamo')
def test_the_options_reach_the_compiler(segmentor):
    called = []

    def backend(graph, inputs):
        called.append(len(inputs))
        return graph.forward

    _compile(segmentor, BLOCKS, backend=backend)
    _losses(segmentor)
    assert called


@pytest.mark.parametrize('modules', [[], (), 'backbone'])
def test_names_are_a_list(modules):
    with pytest.raises(
        ConfigError, match=re.escape(f'as modules of CompileHook, received {modules!r}')
    ):
        CompileHook(modules)


@pytest.mark.parametrize('name', ['trunk.*', 'backbone.trunk.blocks.*.nothing', ''])
def test_a_name_that_fits_none(segmentor, name):
    with pytest.raises(ConfigError, match=r'which fits none; the model has .*backbone'):
        _compile(segmentor, name)


@pytest.fixture
def fresh_dynamo():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()
