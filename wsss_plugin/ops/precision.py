"""Precision in which statistics, exponentials and long sums are computed."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    """Converts integers and half precision to float32 and leaves wider floats as they are.

    Args:
        tensor: Tensor of any type and shape.

    Returns:
        The tensor in float32, or in float64 if it was float64.

    >>> at_least_float32(torch.ones(2, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
