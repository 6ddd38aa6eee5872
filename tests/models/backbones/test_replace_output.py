import copy

import torch
from torch import nn

from wsss_plugin.models.backbones.replace_output import ReplaceOutput


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.extra = nn.Linear(2, 2), nn.Linear(2, 2)
        self.layer.register_forward_hook(ReplaceOutput(self.extra))

    def forward(self, x):
        return self.layer(x)


def test_the_output_passes_the_module_and_the_gradient_both():
    holder = Holder().double()
    x = torch.randn(3, 2, dtype=torch.float64)
    expected = holder.extra(nn.functional.linear(x, holder.layer.weight, holder.layer.bias))
    torch.testing.assert_close(holder(x), expected)
    holder(x).sum().backward()
    assert holder.layer.weight.grad.abs().sum() > 0
    assert holder.extra.weight.grad.abs().sum() > 0


def test_a_deep_copy_uses_its_own_module():
    holder = Holder()
    twin = copy.deepcopy(holder)
    x = torch.randn(3, 2)
    before = holder(x)
    nn.init.zeros_(twin.extra.weight)
    nn.init.ones_(twin.extra.bias)
    assert torch.equal(twin(x), torch.ones(3, 2))
    assert torch.equal(holder(x), before)
