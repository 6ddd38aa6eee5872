import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from wsss_plugin.engine.optimizers import JointOptimizer


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return nn.Linear(2, 1), nn.Linear(2, 1)


@pytest.fixture
def joint(layers):
    vit, cnn = layers
    return JointOptimizer(
        [
            OptimWrapper(torch.optim.AdamW(vit.parameters(), lr=1e-2)),
            OptimWrapper(torch.optim.SGD(cnn.parameters(), lr=1e-3)),
        ]
    )


def test_shows_the_groups_of_all_and_the_defaults_of_the_first(joint):
    assert [group['lr'] for group in joint.param_groups] == [1e-2, 1e-3]
    assert joint.defaults is joint.members[0].optimizer.defaults


def test_groups_are_those_of_the_present(joint):
    """Loading a state puts new groups into an optimiser."""
    optimizer = joint.members[1].optimizer
    optimizer.load_state_dict(optimizer.state_dict())
    assert joint.param_groups[1] is optimizer.param_groups[0]


@pytest.mark.parametrize('set_to_none', [True, False])
def test_steps_and_clears_every_member(joint, layers, set_to_none):
    before = [layer.weight.clone() for layer in layers]
    sum(layer(torch.ones(1, 2)).sum() for layer in layers).backward()
    joint.step()
    joint.zero_grad(set_to_none)
    for layer, weight in zip(layers, before, strict=True):
        assert not torch.equal(layer.weight, weight)
        gradient = layer.weight.grad
        assert gradient is None if set_to_none else torch.equal(gradient, torch.zeros(1, 2))


def test_refuses_no_members():
    with pytest.raises(ValueError, match='at least one optimiser'):
        JointOptimizer([])
