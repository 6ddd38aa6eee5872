"""CAMs and the attention between tokens."""

from __future__ import annotations

from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def attention_cam(
    raw: Tensor, class_to_patch: Tensor | None = None, patch_to_patch: Tensor | None = None
) -> Tensor:
    """A CAM times the attention of the class tokens, spread by the attention of the patches.

    ``M_k(i) = sum_j R_ij A_k(j) max(0, C_k(j))`` (MCTformer; ClusterCAM, equation 9): the row of a
    patch gathers from the patches that it attends to.

    Args:
        raw: Raw CAMs C of shape (B, K, h, w), on the grid of the patches.
        class_to_patch: Attention A of each class token to each patch, (B, K, h, w).
        patch_to_patch: Attention R of each patch to each patch, (B, h * w, h * w).

    Returns:
        Maps of shape (B, K, h, w), not below zero where the attentions are not.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> import torch
    >>> raw = torch.tensor([[[[2.0, -1.0]]]])
    >>> spread = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]])  # the second patch looks at both
    >>> attention_cam(raw, torch.full((1, 1, 1, 2), 0.5), spread)
    tensor([[[[1.0000, 0.5000]]]])
    """
    cam = raw.relu()
    if class_to_patch is not None:
        if class_to_patch.shape != raw.shape:
            raise ValueError(
                'expected attention of class tokens of the shape of the CAM, received '
                f'{tuple(class_to_patch.shape)} and {tuple(raw.shape)}'
            )
        cam = cam * class_to_patch
    return cam if patch_to_patch is None else spread_by_attention(cam, patch_to_patch)


def spread_by_attention(maps: Tensor, attention: Tensor) -> Tensor:
    """Replaces each patch of maps by the sum over all patches, weighted by its attention.

    Args:
        maps: Maps of shape (B, K, h, w).
        attention: Attention of shape (B, h * w, h * w); the row of a patch holds its weights.

    Returns:
        Maps of shape (B, K, h, w), float32 or wider.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> import torch
    >>> spread_by_attention(torch.tensor([[[[1.0, 3.0]]]]), torch.full((1, 2, 2), 0.5))
    tensor([[[[2., 2.]]]])
    """
    count = maps.shape[-2:].numel()
    if attention.shape != (len(maps), count, count):
        raise ValueError(
            f'expected attention of shape {(len(maps), count, count)} for maps of shape '
            f'{tuple(maps.shape)}, received {tuple(attention.shape)}'
        )
    flat = at_least_float32(maps).flatten(2)
    spread = flat @ at_least_float32(attention).transpose(1, 2)
    return spread.unflatten(2, maps.shape[2:])
