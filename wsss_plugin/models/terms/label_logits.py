"""Logits of a decode head for a loss on a label map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.utils import resize
from torch import Tensor

from wsss_plugin.ops.resized_logits import resized_argmax


def label_logits(
    loss: Any, logits: Tensor, size: Sequence[int], align_corners: bool
) -> tuple[Tensor, dict[str, Any]]:
    """What a loss on a label map takes as logits.

    Args:
        loss: The loss; with an attribute ``resizes_logits`` that is true it takes logits at their
            own size, and the option ``align_corners``.
        logits: Logits (B, K + 1, h, w).
        size: Height and width of the label.
        align_corners: How the decode head resizes.

    Returns:
        Logits, resized unless the loss does so, and the loss's further options.
    """
    if getattr(loss, 'resizes_logits', False):
        return logits, dict(align_corners=align_corners)
    size = tuple(size)
    return resize(logits, size=size, mode='bilinear', align_corners=align_corners), {}


def label_accuracy(logits: Tensor, label: Tensor, ignore_index: int, align_corners: bool) -> Tensor:
    """Share of the labelled pixels whose largest logit is that of their label.

    Args:
        logits: Logits (B, K + 1, h, w), resized to the label.
        label: Label map (B, H, W).
        ignore_index: Label of ignored pixels.
        align_corners: How they are resized.

    Returns:
        A scalar in percent; 100 without a labelled pixel, as MMSegmentation has it.
    """
    right = resized_argmax(logits.detach(), label.shape[-2:], align_corners) == label
    known = label != ignore_index
    # As mmseg.models.losses.accuracy rounds, which needs all logits at the size of the label and
    # waits for a GPU to count.
    tiny = torch.finfo(torch.float32).eps
    correct = (right & known).sum().float() + tiny
    return correct * (100.0 / (known.sum().double() + tiny)).float()
