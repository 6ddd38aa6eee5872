"""ToCo's segmentation decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class LargeFOVHead(BaseDecodeHead):
    """Two 3x3 convolutions of a large field of view and one 1x1 convolution, without biases.

    The decoder of ToCo, the baseline of the dual-branch paper's Table 4 (91.6 M parameters with
    ViT-B/16).

    Args:
        in_channels: Channels of the feature map; of each of several with
            ``input_transform='resize_concat'``.
        channels: Width of both 3x3 convolutions.
        dilation: Their dilation.
        kwargs: Further arguments of ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int = 512,
        dilation: int = 5,
        dropout_ratio: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_channels, channels, dropout_ratio=dropout_ratio, init_cfg=init_cfg, **kwargs
        )
        geometry: dict[str, Any] = dict(
            kernel_size=3, padding=dilation, dilation=dilation, bias=False
        )
        self.convs = nn.Sequential(
            nn.Conv2d(self.in_channels, channels, **geometry),
            nn.ReLU(),
            nn.Conv2d(channels, channels, **geometry),
            nn.ReLU(),
        )
        self.conv_seg = nn.Conv2d(channels, self.out_channels, kernel_size=1, bias=False)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Segmentation logits.

        Args:
            inputs: The backbone's feature maps; ``in_index`` selects one of shape (B, C, h, w).

        Returns:
            Logits of shape (B, K + 1, h, w).
        """
        return self.cls_seg(self.convs(self._transform_inputs(inputs)))
