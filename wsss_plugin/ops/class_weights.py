"""Weights of classes that are rare or frequent."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def frequency_weights(counts: Tensor | Sequence[int], power: float = 0.5) -> Tensor:
    """Weights that fall with the number of images of a class.

    ``w_k = n_k^-p / mean_j n_j^-p``: their mean is 1, so that the loss keeps its size. With p = 1
    every class weighs alike in all, with p = 0 every image does.

    Args:
        counts: Number of images n_k that have class k, (K,), at least 1.
        power: The power p from 0 to 1; 0.5 lies between.

    Returns:
        Weights (K,), float32.

    Raises:
        ValueError: If a class has no image or the power is out of range.

    >>> [round(weight, 3) for weight in frequency_weights([900, 100, 100]).tolist()]
    [0.429, 1.286, 1.286]
    """
    number = torch.as_tensor(counts, dtype=torch.float64)
    if not 0 <= power <= 1:
        raise ValueError(f'expected a power from 0 to 1, received {power}')
    if number.dim() != 1 or not len(number) or not bool((number >= 1).all()):
        raise ValueError(
            'expected the number of images of each class, at least 1, received '
            f'{number.tolist()}; leave out classes without images'
        )
    weights = number**-power
    return (weights / weights.mean()).float()
