"""A block of a vision transformer that tells what its tokens attend to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from wsss_plugin.models.backbones.attention_maps import AttentionMaps, attend
from wsss_plugin.models.backbones.cluster_attention import ClusterAttention


class ClassTokenBlock(nn.Module):
    """The parts of a timm block, with a clustering attention beside the ordinary one if wanted.

    ``X <- X + Y + Y_clu`` and then ``X <- X + MLP(LN(X))`` (ClusterCAM, equation 6). The maps of
    the class tokens are ``(1 - alpha) A_ordinary + alpha A_cluster`` with a trained alpha
    (its equation 7).

    Args:
        block: The timm block, whose parts keep their names.
        num_classes: Number K of class tokens, which come first.
        steps: Steps of the clustering; 0 for an ordinary block.
        cell: Height and width of the cells in which the centres begin, in patches.
    """

    norm1: Any
    norm2: Any
    attn: Any
    mlp: Any
    ls1: Any
    ls2: Any
    drop_path1: Any
    drop_path2: Any

    def __init__(self, block: Any, num_classes: int, steps: int, cell: Sequence[int]) -> None:
        super().__init__()
        self.num_classes = num_classes
        for name, part in block.named_children():
            self.add_module(name, part)
        self.cluster: ClusterAttention | None = None
        if steps:
            attention = block.attn
            self.cluster = ClusterAttention(
                attention.qkv.in_features,
                attention.num_heads,
                num_classes,
                steps,
                cell,
                qkv_bias=attention.qkv.bias is not None,
            )
            # The published block has the default epsilon in all norms before an attention.
            self.norm1.eps = self.cluster.class_norm.eps
            self.start_clusters()

    def start_clusters(self) -> None:
        """Starts the clustering attention from the ordinary one."""
        if self.cluster is not None:
            self.cluster.start_from(self.norm1, self.attn)

    def forward(
        self,
        tokens: Tensor,
        grid: Sequence[int] | None = None,
        class_maps: bool = False,
        patch_maps: bool = False,
    ) -> tuple[Tensor, AttentionMaps]:
        """Tokens after the block, and the weights that are wanted.

        Args:
            tokens: Tokens (B, K + N, C), the class tokens first.
            grid: Height and width of the patches, needed with clusters.
            class_maps: Whether the attention of class tokens to patches is wanted.
            patch_maps: Whether the attention between patches is wanted.

        Returns:
            Tokens (B, K + N, C) and the weights.

        Raises:
            ValueError: If the block has clusters and there is no grid.
        """
        output, maps = attend(
            self.attn, self.norm1(tokens), self.num_classes, class_maps, patch_maps
        )
        residual = self.drop_path1(self.ls1(output))
        if self.cluster is not None:
            if grid is None:
                raise ValueError(
                    'expected the grid (height, width) of the patches for a block with clusters, '
                    'received None; give what embed returns'
                )
            clustered, weights = self.cluster(tokens, grid, class_maps)
            residual = residual + self.drop_path1(self.ls1(clustered))
            if weights is not None:
                share = self.cluster.mix
                mixed = (1 - share) * maps.class_to_patch + share * weights
                maps = maps._replace(class_to_patch=mixed)
        tokens = tokens + residual
        return tokens + self.drop_path2(self.ls2(self.mlp(self.norm2(tokens)))), maps
