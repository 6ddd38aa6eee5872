"""The matrix products inside an operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

ProductShape = tuple[int, int, int, int]
"""Number of products, rows, inner size and columns of each."""


def product_shapes(name: str, arguments: Sequence[Any], result: Any) -> list[ProductShape]:
    """Shapes of the products of matrices that an operator computes.

    A convolution counts as the product of its weights with the windows of its input, attention as
    its two products, and each backward pass as the products of its gradients.

    Args:
        name: Name of the operator without overload, such as ``aten::mm``.
        arguments: Its arguments by position.
        result: What it returned.

    Returns:
        Number, rows, inner size and columns of each; empty for operators without products.

    >>> import torch
    >>> a, b = torch.ones(2, 3), torch.ones(3, 5)
    >>> product_shapes('aten::mm', (a, b), a @ b)
    [(1, 2, 3, 5)]
    """
    shapes = _RULES.get(name)
    return [] if shapes is None else shapes(arguments, result)


def operations(shape: ProductShape) -> int:
    """Multiplications and additions of products of this shape.

    >>> operations((1, 2, 3, 5))
    60
    """
    return 2 * math.prod(shape)


def _matrices(first: Tensor, second: Tensor) -> list[ProductShape]:
    number = math.prod(first.shape[:-2])
    return [(number, first.shape[-2], first.shape[-1], second.shape[-1])]


def _windows(weight: Tensor, groups: int, output: Tensor, transposed: bool) -> ProductShape:
    """Weights by windows: filters of a group, size of a window, number of windows."""
    places = output.shape[0] * math.prod(output.shape[2:])
    if transposed:
        return (groups, math.prod(weight.shape[1:]), weight.shape[0] // groups, places)
    return (groups, weight.shape[0] // groups, math.prod(weight.shape[1:]), places)


def _convolution(arguments: Sequence[Any], result: Tensor) -> list[ProductShape]:
    image, weight, transposed, groups = arguments[0], arguments[1], arguments[6], arguments[8]
    return [_windows(weight, groups, image if transposed else result, transposed)]


def _convolution_backward(arguments: Sequence[Any], _: Any) -> list[ProductShape]:
    gradient, image, weight, transposed = *arguments[:3], arguments[7]
    groups, wanted = arguments[9], arguments[10]
    number, rows, inner, columns = _windows(
        weight, groups, image if transposed else gradient, transposed
    )
    of_image, of_weight = (number, inner, rows, columns), (number, rows, columns, inner)
    return [shape for shape, needed in zip((of_image, of_weight), wanted, strict=False) if needed]


def _attention_sizes(query: Tensor, key: Tensor) -> tuple[int, int, int, int]:
    return math.prod(query.shape[:-2]), query.shape[-2], key.shape[-2], query.shape[-1]


def _attention(arguments: Sequence[Any], _: Any) -> list[ProductShape]:
    number, queries, keys, size = _attention_sizes(*arguments[:2])
    return [(number, queries, size, keys), (number, queries, keys, size)]


def _attention_backward(arguments: Sequence[Any], _: Any) -> list[ProductShape]:
    number, queries, keys, size = _attention_sizes(*arguments[1:3])
    scores, values = (number, queries, size, keys), (number, keys, queries, size)
    return [scores, scores, values, values, (number, queries, keys, size)]


_RULES: Mapping[str, Callable[[Sequence[Any], Any], list[ProductShape]]] = {
    'aten::mm': lambda arguments, _: _matrices(*arguments[:2]),
    'aten::bmm': lambda arguments, _: _matrices(*arguments[:2]),
    'aten::addmm': lambda arguments, _: _matrices(*arguments[1:3]),
    'aten::baddbmm': lambda arguments, _: _matrices(*arguments[1:3]),
    'aten::convolution': _convolution,
    'aten::convolution_backward': _convolution_backward,
    'aten::_scaled_dot_product_flash_attention_for_cpu': _attention,
    'aten::_scaled_dot_product_flash_attention': _attention,
    'aten::_scaled_dot_product_efficient_attention': _attention,
    'aten::_scaled_dot_product_flash_attention_for_cpu_backward': _attention_backward,
    'aten::_scaled_dot_product_flash_attention_backward': _attention_backward,
    'aten::_scaled_dot_product_efficient_attention_backward': _attention_backward,
}
