"""The dual-branch paper's segmentation decoder."""

from __future__ import annotations

from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ConvMLPHead(BaseDecodeHead):
    """A linear embedding, two 3x3 convolutions and one 1x1 convolution.

    Section 2.1 of the dual-branch paper gives the layers but no widths. With ViT-B/16 these
    defaults give the 86.3 M parameters and 67.7 GMAC of its Table 4, with and without the
    classifiers of the CAM heads.

    Args:
        in_channels: Channels of the feature map.
        embed_channels: Width of the linear embedding.
        hidden_channels: Width of the first 3x3 convolution.
        channels: Width of the second 3x3 convolution.
        kwargs: Further arguments of ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: int,
        embed_channels: int = 256,
        hidden_channels: int = 136,
        channels: int = 128,
        dropout_ratio: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_channels, channels, dropout_ratio=dropout_ratio, init_cfg=init_cfg, **kwargs
        )
        self.embedding = nn.Conv2d(in_channels, embed_channels, kernel_size=1)
        self.convs = nn.Sequential(
            nn.Conv2d(embed_channels, hidden_channels, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden_channels, channels, kernel_size=3, padding=1),
            nn.ReLU(),
        )

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Segmentation logits.

        Args:
            inputs: The backbone's feature maps; ``in_index`` selects one of shape (B, C, h, w).

        Returns:
            Logits of shape (B, K + 1, h, w).
        """
        return self.cls_seg(self.convs(self.embedding(self._transform_inputs(inputs))))
