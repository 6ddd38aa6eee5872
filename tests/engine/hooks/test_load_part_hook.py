from __future__ import annotations

import pytest
import torch
from mmengine.runner import Runner


@pytest.fixture
def other(toy, tmp_path):
    """Weights of another training."""
    weights = {name: value + 1 for name, value in toy.ToyModel().state_dict().items()}
    torch.save({'state_dict': weights}, tmp_path / 'other.pth')
    return weights, str(tmp_path / 'other.pth')


@pytest.fixture
def start(toy, tmp_path):
    def start(checkpoint, modules):
        config = toy.toy_config(tmp_path / 'work', max_iters=1)
        config.custom_hooks += [dict(type='LoadPartHook', checkpoint=checkpoint, modules=modules)]
        config.optim_wrapper.optimizers = dict(
            vit=dict(type='SGD', lr=0.0), cnn=dict(type='SGD', lr=0.0)
        )
        config.pop('model_wrapper_cfg')
        runner = Runner.from_cfg(config)
        runner.train()
        return runner.model.state_dict()

    return start


def test_the_named_modules_are_loaded_and_no_others(toy, start, other):
    weights, path = other
    fresh = toy.ToyModel().state_dict()
    received = start(path, ['backbone.cnn', 'cams'])
    for name, value in received.items():
        loaded = name.startswith(('backbone.cnn.', 'cams.'))
        assert torch.equal(value, weights[name] if loaded else fresh[name]), name


def test_a_named_module_must_fit_completely(start, other):
    weights, path = other
    del weights['backbone.cnn.bias']
    torch.save({'state_dict': weights}, path)
    message = (
        r'expected all 4 weights .*other\.pth \(config key load_part, module backbone\).*cnn\.bias'
    )
    with pytest.raises(ValueError, match=message):
        start(path, ['backbone'])


def test_a_module_that_is_not_there_is_named(start, other):
    with pytest.raises(ValueError, match=r"load_part\.modules, received 'neck'; it has .*backbone"):
        start(other[1], ['neck'])
