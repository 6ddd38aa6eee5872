"""Features of each class, pooled by its map, and their classification (ReCAM)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def class_features(features: Tensor, masks: Tensor) -> Tensor:
    """Mean feature of each class, weighted by its map.

    ``f_k = (1 / hw) sum_i M_k(i) F(i)`` (ReCAM, the single-label feature): divided by the number
    of positions, not by the sum of the map. One matrix product, so that no tensor of
    B * K * C * h * w elements is built. Gradient reaches both features and maps.

    Args:
        features: Feature map of shape (B, C, h, w).
        masks: Soft maps of the classes, (B, K, h, w), usually in [0, 1].

    Returns:
        Features of shape (B, K, C), float32 or wider.

    Raises:
        ValueError: If images or grids differ.

    >>> features = torch.tensor([1.0, 3.0]).view(1, 1, 1, 2)
    >>> class_features(features, torch.tensor([[[[1.0, 0.0]], [[1.0, 1.0]]]])).tolist()
    [[[0.5], [2.0]]]
    """
    same = features.shape[:1] == masks.shape[:1] and features.shape[2:] == masks.shape[2:]
    if features.dim() != 4 or masks.dim() != 4 or not same:
        raise ValueError(
            'expected features (B, C, h, w) and masks (B, K, h, w) of the same images on the same '
            f'grid, received {tuple(features.shape)} and {tuple(masks.shape)}; resize the masks'
        )
    with torch.autocast(features.device.type, enabled=False):
        features, masks = at_least_float32(features), at_least_float32(masks)
        sums = torch.einsum('bkn,bcn->bkc', masks.flatten(2), features.flatten(2))
        return sums / features.shape[2:].numel()


def softmax_class_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Softmax cross entropy of each present class's own feature.

    ``L = (1 / B) sum_b (1 / n_b) sum_{k: y_bk = 1} -log softmax(x_bk)_k`` (ReCAM, the loss of the
    second classifier), where row k of ``x_b`` holds the logits of the feature of class k and n_b
    is the number of present classes. An image without tags adds zero, and it counts in B.

    Args:
        logits: Logits of shape (B, K, K); row k belongs to the feature of class k.
        tags: Multi-hot tags of shape (B, K).

    Returns:
        The loss, a scalar; zero with zero gradient where no image has a tag.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> softmax_class_loss(torch.zeros(1, 4, 4), torch.tensor([[1, 0, 1, 0]])).exp()
    tensor(4.)
    """
    if logits.dim() != 3 or logits.shape[1] != logits.shape[2] or tags.shape != logits.shape[:2]:
        raise ValueError(
            'expected logits (B, K, K), a row for the feature of each class, and tags (B, K), '
            f'received {tuple(logits.shape)} and {tuple(tags.shape)}'
        )
    present = tags > 0
    classes = torch.arange(logits.shape[1], device=logits.device).expand_as(present)
    rows = F.cross_entropy(
        at_least_float32(logits).transpose(1, 2), classes.where(present, -100), reduction='none'
    )
    return (rows.sum(dim=1) / present.sum(dim=1).clamp(min=1)).mean()
