"""Shapes of products are compared with PyTorch's own count of operations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from wsss_plugin.engine.benchmark import OperatorLog, operations


def counted(function):
    counter, log = FlopCounterMode(display=False), OperatorLog()
    with counter:
        function()
    with log:
        function()
    ours = sum(operations(shape) for call in log.calls for shape in call.products)
    return ours, counter.get_total_flops()


def backward_of(function, *shapes):
    inputs = [torch.rand(shape, requires_grad=True) for shape in shapes]
    return lambda: function(*inputs).sum().backward()


@pytest.mark.parametrize(
    ('function', 'shapes', 'expected'),
    [
        (torch.matmul, ((3, 4), (4, 5)), 3 * 2 * 60),
        (torch.matmul, ((2, 3, 4), (2, 4, 5)), 3 * 2 * 120),
        (lambda x, w, b: F.linear(x, w, b), ((6, 4), (5, 4), (5,)), 3 * 2 * 120),
        (lambda x, w: F.conv2d(x, w, padding=1), ((2, 3, 7, 5), (4, 3, 3, 3)), 3 * 2 * 7560),
        (
            lambda x, w: F.conv2d(x, w, stride=2, groups=2),
            ((1, 4, 7, 7), (6, 2, 3, 3)),
            3 * 2 * 972,
        ),
    ],
)
def test_products_forward_and_backward(function, shapes, expected):
    ours, _ = counted(backward_of(function, *shapes))
    assert ours == expected


@pytest.mark.parametrize('groups', [1, 2])
def test_transposed_convolution(groups):
    shapes = ((2, 4, 5, 5), (4, 3, 2, 2))
    ours, counted_by_torch = counted(
        backward_of(lambda x, w: F.conv_transpose2d(x, w, groups=groups), *shapes)
    )
    if groups == 1:
        assert ours == counted_by_torch
    # Every input value meets the filters of its group: 2 x 25 places, 4 channels, 3 x 2 x 2 values.
    assert ours == 3 * 2 * 50 * 4 * 12


def test_attention():
    def attend():
        q, k, v = (torch.rand(2, 3, 5, 8, requires_grad=True) for _ in range(3))
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            F.scaled_dot_product_attention(q, k, v).sum().backward()

    ours, counted_by_torch = counted(attend)
    one = 2 * 2 * 3 * 5 * 8 * 5
    assert ours == 7 * one
    assert counted_by_torch in (0, 7 * one)


def test_weights_alone_have_one_gradient():
    weight = torch.rand(4, 3, 3, 3, requires_grad=True)
    ours, _ = counted(lambda: F.conv2d(torch.rand(1, 3, 5, 5), weight).sum().backward())
    assert ours == 2 * 2 * 4 * 27 * 9


def test_other_operators_have_none():
    log = OperatorLog()
    with log:
        torch.ones(3, 4).softmax(0).add(1)
    assert [call.products for call in log.calls] == [()] * 3
