"""Scores with a background by a power, and the labels that two such agree about."""

from __future__ import annotations

import torch
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def alpha_scores(cam: Tensor, tags: Tensor, alpha: float) -> Tensor:
    """Scores of background and tagged classes, the background's by a power.

    ``M_bg = (1 - max_k y_k M_k)^alpha`` (AffinityNet, equation 2), before the CAMs of the tagged
    classes; not normalised to a sum of 1. A small alpha makes much background, a large one little.

    Args:
        cam: Normalised CAMs of shape (B, K, H, W) in [0, 1].
        tags: Multi-hot tags of shape (B, K).
        alpha: The exponent, at least 1.

    Returns:
        Scores of shape (B, K + 1, H, W) in [0, 1], channel 0 the background.

    Raises:
        ValueError: If alpha is below 1 or the shapes do not belong together.

    >>> alpha_scores(torch.full((1, 2, 1, 1), 0.5), torch.tensor([[0, 1]]), alpha=4).flatten()
    tensor([0.0625, 0.0000, 0.5000])
    """
    if alpha < 1:
        raise ValueError(
            f'expected alpha of at least 1, received {alpha}; the published ones are 4, 16 and 32'
        )
    if cam.dim() != 4 or tags.shape != cam.shape[:2]:
        raise ValueError(
            'expected CAMs (B, K, H, W) and tags (B, K) of the same images and classes, received '
            f'{tuple(cam.shape)} and {tuple(tags.shape)}'
        )
    cam = at_least_float32(cam)
    scores = cam * (tags > 0).to(cam)[:, :, None, None]
    background = (1 - scores.amax(dim=1, keepdim=True)).clamp(min=0) ** alpha
    return torch.cat((background, scores), dim=1)


def confident_label(low: Tensor, high: Tensor, ignore_index: int = 255) -> Tensor:
    """Label map for AffinityNet: certain classes, certain background, and the rest ignored.

    The class where it beats the background of the low alpha, background where it wins even with
    the high alpha, ignored elsewhere (AffinityNet, Section 3.2), and ignored where no score is
    above 1e-5, as beyond the border of a crop.

    Args:
        low: Scores with the low alpha, (B, N + 1, h, w), channel 0 the background; refined by a
            CRF and averaged over the cells of the grid in the published code.
        high: Scores of the same classes with the high alpha, (B, N + 1, h, w).
        ignore_index: Label of ignored positions.

    Returns:
        Label map of shape (B, h, w), int64, of channels.

    Raises:
        ValueError: If the shapes differ.

    >>> low = torch.tensor([[[0.2, 0.6, 0.9]], [[0.8, 0.5, 0.1]]]).unsqueeze(0)
    >>> high = torch.tensor([[[0.0, 0.1, 0.7]], [[0.8, 0.5, 0.1]]]).unsqueeze(0)
    >>> confident_label(low, high).tolist()
    [[[1, 255, 0]]]
    """
    if low.dim() != 4 or low.shape != high.shape:
        raise ValueError(
            'expected scores (B, N + 1, h, w) of the same classes on the same grid with both '
            f'alphas, received {tuple(low.shape)} and {tuple(high.shape)}'
        )
    label = low.argmax(dim=1)
    label = label.masked_fill(label == 0, ignore_index)
    label = label.masked_fill(high.argmax(dim=1) == 0, 0)
    seen = torch.maximum(low, high).amax(dim=1) >= 1e-5
    return label.masked_fill(~seen, ignore_index)
