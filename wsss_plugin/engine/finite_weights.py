"""Weights that hold NaN or infinity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_STATISTICS = ('running_mean', 'running_var')


def non_finite_names(weights: Mapping[str, Any]) -> list[str]:
    """Returns the names of the tensors that hold NaN or infinity.

    Args:
        weights (Mapping): Tensors by name; other values are skipped.

    Returns:
        list[str]: In their order.

    Examples:
        >>> non_finite_names({'a': torch.ones(2), 'b': torch.tensor([1.0, float('nan')])})
        ['b']
    """
    return [
        name
        for name, weight in weights.items()
        if isinstance(weight, Tensor)
        and weight.is_floating_point()
        and not bool(torch.isfinite(weight).all())
    ]


def learnt(model: nn.Module, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a training changes: parameters and the statistics of normalisations.

    Other buffers may hold NaN or infinity with good reason, for example a value not yet seen.

    Args:
        model (nn.Module): The model, not wrapped.
        weights (Mapping): Its weights by name, as far as they are there.

    Returns:
        dict: Some of them.
    """
    names = {name for name, _ in model.named_parameters()}
    names |= {n for n, _ in model.named_buffers() if n.rpartition('.')[2] in _STATISTICS}
    return {name: weight for name, weight in weights.items() if name in names}


def check_finite(weights: Mapping[str, Any], source: str) -> None:
    """Checks that weights are finite.

    Args:
        weights (Mapping): Tensors by name.
        source (str): What holds them, for the error.

    Raises:
        ValueError: If one holds NaN or infinity; names it.
    """
    names = non_finite_names(weights)
    if names:
        others = f' and {len(names) - 1} others' if len(names) > 1 else ''
        raise ValueError(
            f'expected finite weights in {source}, received NaN or infinity in {names[0]}{others}; '
            'a training had failed: take an earlier checkpoint'
        )
