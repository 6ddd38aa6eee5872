"""Attention of timm's transformers together with its weights, as far as they are wanted."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.models.without_gradient import without_gradient


class AttentionMaps(NamedTuple):
    """Weights of one attention between K class tokens and N patches.

    Attributes:
        class_to_patch: Of each head, (B, heads, K, N), or None.
        patch_to_patch: Mean over the heads, (B, N, N), without gradient, or None.
    """

    class_to_patch: Tensor | None = None
    patch_to_patch: Tensor | None = None


def split_heads(projected: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of all heads.

    Args:
        projected: Output of the projection, (B, N, 3 * C).
        num_heads: Number of heads.

    Returns:
        Three tensors of shape (B, heads, N, C / heads).
    """
    query, key, value = projected.unflatten(2, (3, num_heads, -1)).permute(2, 0, 3, 1, 4)
    return query, key, value


def attend(
    attention: Any, tokens: Tensor, classes: int, class_maps: bool, patch_maps: bool
) -> tuple[Tensor, AttentionMaps]:
    """Output of a timm attention, and its weights.

    The fused kernel gives the output, and the rows of the few class tokens are computed beside it.
    Weights between patches carry no gradient: nothing learns through them, and with one they would
    be kept of all blocks until the backward pass.

    Args:
        attention: timm's ``Attention``.
        tokens: Tokens (B, K + N, C), the class tokens first.
        classes: Number K of class tokens.
        class_maps: Whether the weights of class tokens to patches are wanted.
        patch_maps: Whether the weights between patches are wanted.

    Returns:
        Tokens (B, K + N, C) and the weights.
    """
    if not class_maps and not patch_maps:
        return attention(tokens), AttentionMaps()
    query, key, value = split_heads(attention.qkv(tokens), attention.num_heads)
    query, key = attention.q_norm(query), attention.k_norm(key)
    drop = attention.attn_drop.p if attention.training else 0.0
    output = F.scaled_dot_product_attention(query, key, value, dropout_p=drop)
    output = attention.norm(output.transpose(1, 2).flatten(2))
    output = attention.proj_drop(attention.proj(output))
    query = query * attention.scale
    class_to_patch = patch_to_patch = None
    if class_maps:
        rows = (query[:, :, :classes] @ key.transpose(2, 3)).softmax(dim=3)
        class_to_patch = rows[..., classes:]
    if patch_maps:
        with without_gradient():
            patch_to_patch = _patch_rows(query, key, classes)
    return output, AttentionMaps(class_to_patch, patch_to_patch)


def run_with_weights(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Runs a timm block whose attention weights are written out, where dropout takes them.

    Args:
        block: timm's ``Block``.
        tokens: Tokens (B, N, C).

    Returns:
        Tokens (B, N, C) and the weights (B, heads, N, N), with gradient.
    """
    attention: Any = block.attn
    seen: list[Tensor] = []
    handle = attention.attn_drop.register_forward_pre_hook(
        lambda _module, inputs: seen.append(inputs[0])
    )
    fused, attention.fused_attn = attention.fused_attn, False
    try:
        # Computed again, as under gradient checkpointing, it would be without the hook.
        tokens = block(tokens)
    finally:
        attention.fused_attn = fused
        handle.remove()
    return tokens, seen[0]


def _patch_rows(query: Tensor, key: Tensor, classes: int) -> Tensor:
    """Mean of the weights between patches over the heads, which are taken one after the other."""
    total: Any = 0.0
    for head in range(query.shape[1]):
        rows = (query[:, head, classes:] @ key[:, head].transpose(1, 2)).softmax(dim=2)
        total = rows[..., classes:] + total
    return total / query.shape[1]
