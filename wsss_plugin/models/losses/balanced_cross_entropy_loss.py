"""Segmentation loss that gives background and foreground the same weight."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.precision import at_least_float32
from wsss_plugin.ops.resized_logits import resized_cross_entropy


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """Cross entropy over background and over foreground pixels, averaged apart.

    ``(1 - f) mean_{y = 0} CE + f mean_{y > 0} CE`` over all pixels of the batch that are not
    ignored; ToCo has f = 1/2, the dual-branch paper says only "cross entropy". A part without
    pixels contributes zero. With weights w, CE is ``w CE`` and the counts stay those of the pixels:
    ``(1 - f) sum_{y = 0} w CE / N_0 + f sum_{y > 0} w CE / N_1``. Used as ``loss_decode`` of any
    MMSegmentation decode head. Logits that are smaller than the label are resized to it bilinearly,
    band by band (:func:`wsss_plugin.ops.resized_cross_entropy`).

    Args:
        loss_weight: Factor of the loss; the paper uses 0.1.
        foreground_weight: Share f of the foreground, in (0, 1); a smaller one predicts less of it.
        loss_name: Name of the loss in the log.

    Raises:
        ValueError: If ``foreground_weight`` is not between 0 and 1.
    """

    resizes_logits = True

    def __init__(
        self,
        loss_weight: float = 1.0,
        foreground_weight: float = 0.5,
        loss_name: str = 'loss_seg',
    ) -> None:
        super().__init__()
        if not 0 < foreground_weight < 1:
            raise ValueError(
                f'expected foreground_weight between 0 and 1, received {foreground_weight}; 0.5 '
                'balances foreground and background'
            )
        self.loss_weight = loss_weight
        self.foreground_weight = foreground_weight
        self.loss_name = loss_name

    def forward(
        self,
        pred: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,  # noqa: ARG002  (the two parts have their own counts)
        ignore_index: int = 255,
        align_corners: bool = False,
        **kwargs: Any,  # noqa: ARG002  (part of MMSegmentation's loss protocol)
    ) -> Tensor:
        """The weighted loss.

        Args:
            pred: Logits of shape (B, K + 1, H, W), or of another size.
            label: Label map of shape (B, H, W).
            weight: Factor of each pixel's loss, (B, H, W); an image of weight 0 has no gradient.
            avg_factor: Unused; each part is divided by its own number of pixels.
            ignore_index: Label of ignored pixels.
            align_corners: How logits of another size are resized.
            kwargs: Unused.

        Returns:
            A scalar.
        """
        label = label.long()
        if pred.shape[-2:] == label.shape[-2:]:
            pixels = F.cross_entropy(
                at_least_float32(pred), label, ignore_index=ignore_index, reduction='none'
            )
        else:
            pixels = resized_cross_entropy(pred, label, ignore_index, align_corners)
        if weight is not None:
            pixels = pixels * weight
        background = _mean_over(pixels, label == 0)
        foreground = _mean_over(pixels, (label != 0) & (label != ignore_index))
        share = self.foreground_weight
        return self.loss_weight * ((1 - share) * background + share * foreground)


def _mean_over(pixels: Tensor, part: Tensor) -> Tensor:
    count = process_mean(part.sum().to(pixels.dtype))
    return pixels.masked_fill(~part, 0).sum() / count.where(count > 0, 1)
