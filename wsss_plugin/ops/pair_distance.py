"""Distances of the features of near pixels, with a gradient that keeps no differences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_plugin.ops.pixel_pairs import map_pairs, on_box, pair_offsets, shifted, source_box


class PairDistance(torch.autograd.Function):
    """Mean over channels of ``|F_i - F_j|`` for every pair, infinite outside of the image.

    Only the features are kept for the gradient. Automatic differentiation would keep the
    differences of all pairs, and fill a whole map with zeros for each end of each offset.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, radius: int, border: str) -> Tensor:
        """The distances.

        Args:
            ctx: Keeps what the gradient needs.
            features: Features of shape (B, C, h, w).
            radius: Radius in cells of the grid.
            border: ``'complete'`` or ``'published'``.

        Returns:
            Distances of shape (B, P, S).
        """
        ctx.save_for_backward(features)
        ctx.radius, ctx.border = radius, border
        return map_pairs(
            features,
            radius,
            border,
            lambda box, offset: (
                (shifted(features, box, (0, 0)) - shifted(features, box, offset)).abs_().mean(dim=1)
            ),
            fill=torch.inf,
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of the features.

        Args:
            ctx: What was kept.
            gradients: That of the distances, (B, P, S).

        Returns:
            The gradient, (B, C, h, w), and nothing for the settings.
        """
        (features,) = ctx.saved_tensors
        size, result = features.shape[-2:], torch.zeros_like(features)
        share = gradients[0] / features.shape[1]
        for number, offset in enumerate(pair_offsets(ctx.radius)):
            box = source_box(size, offset, ctx.radius, ctx.border)
            sign = (shifted(features, box, (0, 0)) - shifted(features, box, offset)).sign_()
            sign *= on_box(share[:, number], box, size, ctx.border).unsqueeze(1)
            shifted(result, box, (0, 0)).add_(sign)
            shifted(result, box, offset).sub_(sign)
        return result, None, None
