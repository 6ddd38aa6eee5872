from __future__ import annotations

import pytest
import torch

from wsss_plugin.ops import at_least_float32


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.uint8, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_widens_only_what_is_narrow(given, expected):
    assert at_least_float32(torch.ones(2, dtype=given)).dtype == expected
