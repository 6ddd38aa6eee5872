"""Segmentation loss that gives background and foreground the same weight."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.precision import at_least_float32


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """Half the cross entropy over background plus half that over foreground pixels.

    ``mean_{y = 0} CE / 2 + mean_{y > 0} CE / 2`` over all pixels of the batch that are not ignored
    (ToCo; the dual-branch paper's cross entropy). A part without pixels contributes zero. Used as
    ``loss_decode`` of any MMSegmentation decode head.

    Args:
        loss_weight: Factor of the loss; the paper uses 0.1.
        loss_name: Name of the loss in the log.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_seg') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        pred: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,  # noqa: ARG002  (the two parts have their own counts)
        ignore_index: int = 255,
        **kwargs: Any,  # noqa: ARG002  (part of MMSegmentation's loss protocol)
    ) -> Tensor:
        """The weighted loss.

        Args:
            pred: Logits of shape (B, K + 1, H, W).
            label: Label map of shape (B, H, W).
            weight: Factor of each pixel's loss, (B, H, W).
            avg_factor: Unused; each part is divided by its own number of pixels.
            ignore_index: Label of ignored pixels.
            kwargs: Unused.

        Returns:
            A scalar.
        """
        label = label.long()
        pixels = F.cross_entropy(
            at_least_float32(pred), label, ignore_index=ignore_index, reduction='none'
        )
        if weight is not None:
            pixels = pixels * weight
        background = _mean_over(pixels, label == 0)
        foreground = _mean_over(pixels, (label != 0) & (label != ignore_index))
        return self.loss_weight * 0.5 * (background + foreground)


def _mean_over(pixels: Tensor, part: Tensor) -> Tensor:
    count = process_mean(part.sum().to(pixels.dtype))
    return pixels.masked_fill(~part, 0).sum() / count.where(count > 0, 1)
