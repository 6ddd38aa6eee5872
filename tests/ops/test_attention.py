from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops.attention import attention_cam, spread_by_attention


def test_a_row_gathers_from_the_patches_that_it_attends_to():
    maps, attention = torch.rand(2, 3, 2, 2), torch.rand(2, 4, 4)
    spread = spread_by_attention(maps, attention)
    for image in range(2):
        for kind in range(3):
            expected = attention[image] @ maps[image, kind].flatten()
            assert_close(spread[image, kind].flatten(), expected)


def test_parts_can_be_left_out():
    raw = torch.randn(1, 2, 3, 3)
    assert_close(attention_cam(raw), raw.relu())
    times = torch.rand(1, 2, 3, 3)
    assert_close(attention_cam(raw, times), raw.relu() * times)
    spread = torch.eye(9).expand(1, 9, 9)
    assert_close(attention_cam(raw, times, spread), raw.relu() * times)


def test_gradient():
    parts = [
        torch.rand(shape, dtype=torch.float64, requires_grad=True)
        for shape in ((1, 2, 2, 2), (1, 2, 2, 2), (1, 4, 4))
    ]
    assert torch.autograd.gradcheck(attention_cam, parts)


def test_half_precision_is_summed_in_float32():
    spread = spread_by_attention(torch.ones(1, 1, 2, 2).half(), torch.ones(1, 4, 4).half())
    assert spread.dtype == torch.float32


def test_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match='shape of the CAM'):
        attention_cam(torch.rand(1, 2, 3, 3), torch.rand(1, 3, 3, 3))
    with pytest.raises(ValueError, match='for maps of shape'):
        spread_by_attention(torch.rand(1, 2, 3, 3), torch.rand(1, 8, 8))
