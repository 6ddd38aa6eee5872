"""Gaussian modulation of activations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32

GAUSSIANS = ('peak', 'density')


def gaussian_gate(
    values: Tensor,
    dims: Sequence[int],
    gaussian: str = 'peak',
    unbiased: bool = False,
    eps: float = 1e-6,
) -> Tensor:
    """Gate that favours values near the mean (dual-branch paper, equations 5 to 7).

    ``g(v) = exp(-(v - mu)^2 / (2 sigma^2))``, times ``1 / (sqrt(2 pi) sigma)`` as a density. Mean
    and standard deviation are constants of the back-propagation.

    Args:
        values: Values of any shape.
        dims: Dimensions that mean and standard deviation run over.
        gaussian: 'peak' has the maximum 1, 'density' the integral 1, as in AMR.
        unbiased: Divide by n - 1 instead of n for the variance.
        eps: Where the standard deviation is not above this fraction of the largest magnitude, the
            values count as constant and the gate is 1.

    Returns:
        Gate of the shape of ``values``, float32 or wider.

    Raises:
        ValueError: If ``gaussian`` is unknown.

    >>> gaussian_gate(torch.tensor([1.0, 1.0]), dims=(0,)).tolist()
    [1.0, 1.0]
    """
    if gaussian not in GAUSSIANS:
        raise ValueError(f'expected gaussian in {GAUSSIANS}, received {gaussian!r}')
    values = at_least_float32(values)
    constants = values.detach()
    dims = tuple(dims)
    mean = constants.mean(dim=dims, keepdim=True)
    variance = (constants - mean).square().sum(dim=dims, keepdim=True)
    count = constants.numel() // max(1, mean.numel())
    std = (variance / max(1, count - int(unbiased))).sqrt()
    varies = std > eps * constants.abs().amax(dim=dims, keepdim=True)
    std = torch.where(varies, std, 1)
    gate = ((values - mean) / std).square().mul(-0.5).exp()
    if gaussian == 'density':
        gate = gate / (math.sqrt(2 * math.pi) * std)
    return torch.where(varies, gate, 1)
