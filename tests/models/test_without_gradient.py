from __future__ import annotations

import pytest
import torch
from torch import nn

from wsss_plugin.models.without_gradient import without_gradient


@pytest.mark.parametrize('first', ['without', 'with'])
def test_weights_keep_their_gradient_under_autocast(first):
    layer, x = nn.Linear(3, 2), torch.ones(1, 3)
    with torch.autocast('cpu', torch.bfloat16):
        if first == 'without':
            with without_gradient():
                assert not layer(x).requires_grad
        output = layer(x)
        with without_gradient():
            assert not layer(x).requires_grad
        (output + layer(x)).sum().backward()
    torch.testing.assert_close(layer.weight.grad, torch.full((2, 3), 2.0))


def fail():
    with without_gradient():
        assert not torch.is_autocast_cache_enabled()
        raise RuntimeError


@pytest.mark.parametrize('enabled', [False, True])
def test_the_cache_is_as_it_was_also_after_an_error(enabled):
    torch.set_autocast_cache_enabled(enabled)
    try:
        with pytest.raises(RuntimeError):
            fail()
        assert torch.is_autocast_cache_enabled() == enabled
    finally:
        torch.set_autocast_cache_enabled(True)
    assert torch.is_grad_enabled()
