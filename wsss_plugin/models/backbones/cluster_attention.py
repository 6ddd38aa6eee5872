"""Attention between class tokens and clusters of patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_plugin.models.backbones.attention_maps import split_heads
from wsss_plugin.ops.cluster import check_cluster_settings, cluster_assignment


class ClusterAttention(nn.Module):
    """Lets class tokens attend to clusters of similar patches and gives it back to the patches.

    Patches are projected and clustered by :func:`wsss_plugin.ops.cluster_assignment`; class tokens
    and centres attend to each other; each patch gets the outputs of the centres by its row of the
    assignment S, ``S Y_clu`` (ClusterCAM, equations 1 to 6). Attention to a centre counts for its
    patches the same way.

    Args:
        dim: Number of channels C.
        num_heads: Number of heads.
        num_classes: Number K of class tokens, which come first.
        steps: Steps of the clustering; 3 in the published code, 10 in the paper.
        cell: Height and width of the cells in which the centres begin, in patches.
        qkv_bias: Whether the projection to queries, keys and values has a bias.

    Raises:
        ValueError: If ``dim`` is not a multiple of ``num_heads``, or ``steps`` or ``cell`` is not
            positive.

    >>> attention = ClusterAttention(dim=8, num_heads=2, num_classes=3)
    >>> output, weights = attention(torch.rand(1, 3 + 20, 8), grid=(4, 5))
    >>> output.shape, weights.shape
    (torch.Size([1, 23, 8]), torch.Size([1, 2, 3, 20]))
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        num_classes: int,
        steps: int = 3,
        cell: Sequence[int] = (2, 2),
        qkv_bias: bool = True,
    ) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(
                f'expected dim to be a multiple of num_heads, received {dim} and {num_heads}'
            )
        check_cluster_settings(steps, cell)
        self.num_heads = num_heads
        self.num_classes = num_classes
        self.steps = steps
        self.cell = tuple(cell)
        self.patch_proj = nn.Linear(dim, dim)
        self.patch_norm = nn.LayerNorm(dim)
        self.class_norm = nn.LayerNorm(dim)
        self.centre_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.class_proj = nn.Linear(dim, dim)
        # The share alpha of this attention in the maps of the block.
        self.mix = nn.Parameter(torch.rand(1))
        for linear in (self.patch_proj, self.qkv, self.class_proj):
            nn.init.trunc_normal_(linear.weight, std=0.02)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(
        self, tokens: Tensor, grid: Sequence[int], class_maps: bool = True
    ) -> tuple[Tensor, Tensor | None]:
        """Output for all tokens, and the attention of class tokens to patches.

        Args:
            tokens: Tokens (B, K + N, C) that are not normalised, the class tokens first.
            grid: Height and width of the patches.
            class_maps: Whether the attention is wanted.

        Returns:
            Tokens (B, K + N, C) and weights (B, heads, K, N), or None.

        Raises:
            ValueError: If grid and tokens do not belong together.
        """
        classes = tokens[:, : self.num_classes]
        assignment, centres = self.clusters(tokens, grid)
        joined = torch.cat((self.class_norm(classes), self.centre_norm(centres)), dim=1)
        query, key, value = split_heads(self.qkv(joined), self.num_heads)
        attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        of_classes = self.class_proj(attended[:, : self.num_classes])
        of_patches = assignment @ attended[:, self.num_classes :]
        output = torch.cat((of_classes, of_patches.to(of_classes.dtype)), dim=1)
        return output, self._weights(query, key, assignment) if class_maps else None

    def clusters(self, tokens: Tensor, grid: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The clusters of the patches.

        Args:
            tokens: Tokens (B, K + N, C) that are not normalised, the class tokens first.
            grid: Height and width of the patches.

        Returns:
            Assignment (B, N, M), of which each row sums to 1, and centres (B, M, C).

        Raises:
            ValueError: If grid and tokens do not belong together.
        """
        projected = self.patch_norm(self.patch_proj(tokens[:, self.num_classes :]))
        return cluster_assignment(projected, grid, self.steps, self.cell)

    def _weights(self, query: Tensor, key: Tensor, assignment: Tensor) -> Tensor:
        query = query[:, :, : self.num_classes] * query.shape[-1] ** -0.5
        to_centres = (query @ key.transpose(2, 3)).softmax(dim=3)[..., self.num_classes :]
        return to_centres @ assignment.transpose(1, 2).unsqueeze(1)

    @torch.no_grad()
    def start_from(self, norm: nn.Module, attention: Any) -> None:
        """Takes the weights of the ordinary attention of the same block, where there are such.

        Args:
            norm: Norm before the ordinary attention.
            attention: timm's ``Attention``.
        """
        for own in (self.patch_norm, self.class_norm, self.centre_norm):
            own.load_state_dict(norm.state_dict())
        self.qkv.load_state_dict(attention.qkv.state_dict())
        self.class_proj.load_state_dict(attention.proj.state_dict())
