"""Prefix tokens and position embedding of timm's transformers on any grid."""

from __future__ import annotations

from typing import Any

import torch
from timm.layers import resample_abs_pos_embed
from torch import Tensor


def embedded_position(trunk: Any, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Prefix tokens with their embedding, and the embedding of the patches.

    Args:
        trunk: timm's ``VisionTransformer``.
        grid: Height and width of the patches.

    Returns:
        Prefix tokens (1, P, C), and the embedding (1, height * width, C), resized where the grid
        is not that of the weights.
    """
    extra = (getattr(trunk, 'dist_token', None), trunk.reg_token)
    prefix = torch.cat((trunk.cls_token, *(t for t in extra if t is not None)), dim=1)
    position = trunk.pos_embed
    if not trunk.no_embed_class:
        prefix = prefix + position[:, : trunk.num_prefix_tokens]
        position = position[:, trunk.num_prefix_tokens :]
    if grid != tuple(trunk.patch_embed.grid_size):
        # The published code resizes without antialiasing, which is timm's default.
        position = resample_abs_pos_embed(
            position,
            new_size=list(grid),
            old_size=list(trunk.patch_embed.grid_size),
            num_prefix_tokens=0,
            antialias=False,
        )
    return prefix, position
