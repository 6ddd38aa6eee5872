"""Semantic affinity of pairs of near pixels (AffinityNet)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from wsss_plugin.ops.pair_distance import PairDistance
from wsss_plugin.ops.pixel_pairs import map_pairs, shifted
from wsss_plugin.ops.precision import at_least_float32


def pair_affinity(features: Tensor, radius: int, border: str = 'complete') -> Tensor:
    """Affinity of every pair of near pixels, by the distance of their features.

    ``W_ij = exp(-||F_i - F_j||_1 / C)`` (AffinityNet, equation 3, with the mean over channels of
    the published code). The differences are computed again for the gradient, so that no tensor of
    B * C * P * S elements is kept.

    Args:
        features: Features of shape (B, C, h, w).
        radius: Radius in cells of the grid, see :func:`wsss_plugin.ops.pair_offsets`.
        border: ``'complete'``: every pair inside the image; S = h * w. ``'published'``: only the
            first pixels from which every offset stays in the image;
            S = (h - radius + 1) * (w - 2 * radius + 2).

    Returns:
        Affinity of shape (B, P, S) in [0, 1], float32 or wider: P offsets in the order of
        :func:`wsss_plugin.ops.pair_offsets`, S first pixels by rows. Zero where the second pixel
        is outside of the image.

    Raises:
        ValueError: If the grid is too small, the radius out of range or the border unknown.

    >>> import torch
    >>> features = torch.tensor([0.0, 0.0, 5.0]).view(1, 1, 1, 3)
    >>> pair_affinity(features, radius=2)[0, 0]  # each pixel and the one to its right
    tensor([1.0000, 0.0067, 0.0000])
    """
    if features.dim() != 4:
        raise ValueError(f'expected features (B, C, h, w), received {tuple(features.shape)}')
    return PairDistance.apply(at_least_float32(features), radius, border).neg().exp()


def affinity_pair_labels(
    label: Tensor, radius: int, border: str = 'complete', ignore_index: int = 255
) -> tuple[Tensor, Tensor, Tensor]:
    """Sorts the pairs of near pixels by the labels of both ends.

    Pairs with an ignored end, or an end outside of the image, are of no kind (AffinityNet,
    equations 5 and 6).

    Args:
        label: Label map of shape (B, h, w) on the grid of the affinity.
        radius: Radius in cells of the grid.
        border: As of :func:`pair_affinity`.
        ignore_index: Label of ignored positions.

    Returns:
        Which pairs are both background, both of the same class, and of different labels; each
        (B, P, S), bool.

    Raises:
        ValueError: If the grid is too small, the radius out of range or the border unknown.

    >>> import torch
    >>> labels = affinity_pair_labels(torch.tensor([[[0, 0, 2, 2]]]), radius=2)
    >>> [kind[0, 0].tolist() for kind in labels]  # the second pixel is to the right
    [[True, False, False, False], [False, False, True, False], [False, True, False, False]]
    """
    if label.dim() != 3:
        raise ValueError(f'expected a label map (B, h, w), received {tuple(label.shape)}')
    label = label.long()
    first, second = (
        map_pairs(label, radius, border, end, fill=ignore_index)
        for end in (
            lambda box, _: shifted(label, box, (0, 0)),
            lambda box, offset: shifted(label, box, offset),
        )
    )
    valid = (first != ignore_index) & (second != ignore_index)
    same = first == second
    return valid & same & (first == 0), valid & same & (first != 0), valid & ~same


def affinity_loss(
    affinity: Tensor,
    background: Tensor,
    foreground: Tensor,
    negative: Tensor,
    mean_count: Callable[[Tensor], Tensor] | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Cross entropy of affinities, averaged apart over three kinds of pairs.

    ``L = L_bg / 4 + L_fg / 4 + L_neg / 2`` with ``-log(a + eps)`` for pairs of the same label and
    ``-log(1 + eps - a)`` for pairs of different ones, each a mean over its pairs in the whole
    batch (AffinityNet, equations 7 to 10). A kind without pairs adds zero. IRN's affinity loss is
    the same.

    Args:
        affinity: Affinity of shape (B, P, S) in [0, 1].
        background: Pairs of background, (B, P, S), bool or 0 and 1.
        foreground: Pairs of the same class, (B, P, S).
        negative: Pairs of different labels, (B, P, S).
        mean_count: Averages a count over processes, if there are several.
        eps: Added to probabilities and counts.

    Returns:
        The loss, a scalar.

    Raises:
        ValueError: If the shapes differ.

    >>> import torch
    >>> pair = torch.ones(1, 1, 1)
    >>> affinity_loss(0.5 * pair, pair, 0 * pair, 0 * pair)  # log(2) / 4
    tensor(0.1733)
    """
    kinds = background, foreground, negative
    if any(kind.shape != affinity.shape for kind in kinds):
        raise ValueError(
            'expected affinity and three kinds of pairs (B, P, S) of the same radius and border, '
            f'received {tuple(affinity.shape)} and {[tuple(kind.shape) for kind in kinds]}'
        )
    affinity = at_least_float32(affinity)
    same, different = -(affinity + eps).log(), -(1 + eps - affinity).log()
    parts = [
        _mean_over(values, kind, mean_count, eps)
        for values, kind in zip((same, same, different), kinds, strict=True)
    ]
    return parts[0] / 4 + parts[1] / 4 + parts[2] / 2


def _mean_over(
    values: Tensor, kind: Tensor, mean_count: Callable[[Tensor], Tensor] | None, eps: float
) -> Tensor:
    kind = kind > 0
    count = kind.sum().to(values.dtype)
    if mean_count is not None:
        count = mean_count(count)
    return values.masked_fill(~kind, 0).sum() / (count + eps)
