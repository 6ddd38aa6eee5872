"""Contrast between patch tokens and between class tokens."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32

AFFINITY_IGNORE = 255


def affinity_label(label: Tensor, ignore_index: int = 255) -> Tensor:
    """Whether two positions of an image have the same label.

    Args:
        label: Label map of shape (B, h, w).
        ignore_index: Label of ignored positions.

    Returns:
        Affinity of shape (B, h*w, h*w), uint8: 1 same, 0 different, 255 where a label is ignored
        and on the diagonal.

    >>> affinity_label(torch.tensor([[[0, 0, 1]]])).tolist()
    [[[255, 1, 0], [1, 255, 0], [0, 0, 255]]]
    """
    flat = label.flatten(1)
    same = (flat.unsqueeze(2) == flat.unsqueeze(1)).to(torch.uint8)
    ignored = flat == ignore_index
    itself = torch.eye(flat.shape[1], dtype=torch.bool, device=label.device)
    ignored = ignored.unsqueeze(2) | ignored.unsqueeze(1) | itself
    return same.masked_fill(ignored, AFFINITY_IGNORE)


def patch_token_contrast(
    features: Tensor,
    label: Tensor,
    ignore_index: int = 255,
    mean_count: Callable[[Tensor], Tensor] | None = None,
    smoothing: float = 1.0,
) -> Tensor:
    """Pulls tokens of the same label together and pushes others apart.

    ``L = (1 - sum_same |cos| / (N+ + 1)) / 2 + sum_different |cos| / (N- + 1) / 2`` over all pairs
    of positions of an image (dual-branch paper, equation 11, with ToCo's halves, absolute value
    and ones). Exactly 0.5 where everything is ignored.

    Args:
        features: Features of shape (B, C, h, w).
        label: Label map of shape (B, h, w).
        ignore_index: Label of ignored positions.
        mean_count: Averages a count over processes, if there are several.
        smoothing: Added to both counts; 1 over the number of processes for their mean to equal
            the loss of one process.

    Returns:
        The loss, a scalar.

    Raises:
        ValueError: If the grids of features and labels differ.
    """
    if features.dim() != 4 or label.shape != (features.shape[0], *features.shape[2:]):
        raise ValueError(
            'expected features (B, C, h, w) and labels (B, h, w) on the same grid, received '
            f'{tuple(features.shape)} and {tuple(label.shape)}; resize the CAM before labelling'
        )
    target = affinity_label(label, ignore_index)
    with torch.autocast(features.device.type, enabled=False):
        tokens = F.normalize(at_least_float32(features).flatten(2), dim=1, eps=1e-8)
        similarity = (tokens.transpose(1, 2) @ tokens).abs()
        same = _masked_mean(similarity, target == 1, mean_count, smoothing)
        different = _masked_mean(similarity, target == 0, mean_count, smoothing)
    return 0.5 * (1 - same) + 0.5 * different


def class_token_contrast(
    student: Tensor,
    teacher: Tensor,
    positive: Tensor,
    temperature: float = 0.5,
    eps: float = 1e-4,
) -> Tensor:
    """Pulls class tokens of crops with objects to the views, pushes those of background away.

    With ``e_vj = exp(p_v q_j / tau)`` and ``N_v`` its sum over negatives, the loss of an image is
    ``sum_v (sum_{j positive} -log(e_vj / (e_vj + N_v + eps)) - log(1 / (1 + N_v + eps)))``, divided
    by the number of views and by that of positives plus ``eps`` (dual-branch paper, equation 12,
    with ToCo's second term). Written by logarithms of sums of exponentials, so no exponential
    overflows.

    Args:
        student: Projected class tokens q of all crops, (B, S, D).
        teacher: Projected class tokens p of the global views, (B, V, D).
        positive: Which crops show an object, (B, S), bool or 0 and 1.
        temperature: The temperature tau.
        eps: The epsilon, positive; the paper gives no value, ToCo has 1e-4.

    Returns:
        The mean over images, a scalar.

    Raises:
        ValueError: If the shapes do not belong together.
    """
    if (
        student.dim() != 3
        or teacher.dim() != 3
        or positive.shape != student.shape[:2]
        or student.shape[::2] != teacher.shape[::2]
    ):
        raise ValueError(
            'expected student (B, S, D), teacher (B, V, D) and positive (B, S), received '
            f'{tuple(student.shape)}, {tuple(teacher.shape)} and {tuple(positive.shape)}'
        )
    positive = (positive > 0).unsqueeze(1)
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = at_least_float32(student), at_least_float32(teacher)
        logits = teacher @ student.transpose(1, 2) / temperature
        negatives = logits.masked_fill(positive, -torch.inf)
        negatives = F.pad(negatives, (0, 1), value=math.log(eps)).logsumexp(dim=2, keepdim=True)
        attraction = F.softplus(negatives - logits).masked_fill(~positive, 0).sum(dim=2)
        repulsion = F.softplus(negatives).squeeze(2)
        per_image = (attraction + repulsion).mean(dim=1)
        return (per_image / (positive.sum(dim=(1, 2)) + eps)).mean()


def _masked_mean(
    values: Tensor,
    mask: Tensor,
    mean_count: Callable[[Tensor], Tensor] | None,
    smoothing: float,
) -> Tensor:
    count = mask.sum().to(values.dtype)
    if mean_count is not None:
        count = mean_count(count)
    return values.masked_fill(~mask, 0).sum() / (count + smoothing)
