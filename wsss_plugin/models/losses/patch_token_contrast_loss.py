"""Patch token contrast as a loss module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.dist import get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.contrast import patch_token_contrast

# All pairs of so many positions take a gigabyte for each image.
_MOST_POSITIONS = 2**14


@MODELS.register_module()
class PatchTokenContrastLoss(nn.Module):
    """Pulls patch tokens of the same label together and pushes others apart.

    ``(1 - mean_same |cos|) / 2 + mean_different |cos| / 2`` (dual-branch paper, equation 11, in
    ToCo's form), see :func:`wsss_plugin.ops.patch_token_contrast`. As ``loss_decode`` of any
    MMSegmentation decode head it compares the logits of pairs of pixels, of which ``grid`` keeps
    few.

    Args:
        loss_weight: Factor of the loss; the paper uses 0.2.
        ignore_index: Label of ignored positions, where a call gives none.
        loss_name: Name of the loss in the log.
        grid: Height and width, or one number for both, to which larger maps are reduced by their
            nearest position: a map of N positions has N x N pairs. None for maps as they are.

    Raises:
        ValueError: If ``grid`` is not positive.

    >>> import torch
    >>> loss = PatchTokenContrastLoss(grid=8)
    >>> loss(torch.randn(1, 3, 64, 64), torch.zeros(1, 64, 64).long()).shape
    torch.Size([])
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        ignore_index: int = 255,
        loss_name: str = 'loss_ptc',
        grid: int | Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        sides = (grid, grid) if isinstance(grid, int) else grid
        if sides is not None and (len(sides) != 2 or min(sides) < 1):
            raise ValueError(
                'expected grid of PatchTokenContrastLoss as a positive height and width, one '
                f'number for both or None, received {grid}; ToCo has 28'
            )
        self.loss_weight = loss_weight
        self.ignore_index = ignore_index
        self.loss_name = loss_name
        self.grid = None if sides is None else tuple(sides)

    def forward(
        self,
        features: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,  # noqa: ARG002  (pairs have their own counts)
        ignore_index: int | None = None,
        **kwargs: Any,  # noqa: ARG002  (part of MMSegmentation's loss protocol)
    ) -> Tensor:
        """The weighted loss.

        Args:
            features: Patch tokens as a map, or logits, (B, C, h, w).
            labels: Label map of shape (B, h, w).
            weight: Factor of each position, (B, h, w), as a pixel sampler of MMSegmentation gives
                it; only whether it is zero counts, which leaves the position out.
            avg_factor: Unused.
            ignore_index: Label of ignored positions, in place of the loss's own.
            kwargs: Unused.

        Returns:
            A scalar; half the weight if everything is ignored.

        Raises:
            ValueError: If the maps are too large to compare all pairs.
        """
        ignored = self.ignore_index if ignore_index is None else ignore_index
        if weight is not None:
            labels = labels.masked_fill(weight == 0, ignored)
        if self.grid is not None:
            features, labels = self._reduced(features), self._reduced(labels.unsqueeze(1))[:, 0]
        if labels.shape[1:].numel() > _MOST_POSITIONS:
            raise ValueError(
                f'expected maps of at most {_MOST_POSITIONS} positions for PatchTokenContrastLoss, '
                f'received {tuple(labels.shape[-2:])}, of which all pairs are compared; set '
                'grid=28, say'
            )
        return self.loss_weight * patch_token_contrast(
            features,
            labels,
            ignored,
            mean_count=process_mean,
            smoothing=1 / get_world_size(),
        )

    def _reduced(self, maps: Tensor) -> Tensor:
        height, width = (min(a, b) for a, b in zip(maps.shape[-2:], self.grid or (), strict=True))
        if maps.is_floating_point():
            return F.interpolate(maps, size=(height, width), mode='nearest-exact')
        return F.interpolate(maps.double(), size=(height, width), mode='nearest-exact').to(maps)
