"""DeepLabV2's decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.errors import ConfigError, received


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Atrous spatial pyramid pooling of DeepLabV2: parallel dilated convolutions, summed.

    Logits = sum over r of conv3x3(x; dilation r), each with a bias (Chen et al., DeepLab, TPAMI
    2018, section 3.2, on ResNet-101). MMSegmentation's ``ASPPHead`` is DeepLabV3's.

    Args:
        in_channels: Channels of the feature map; of each of several with
            ``input_transform='resize_concat'``.
        rates: Dilation of each convolution, at least 1.
        dropout_ratio: Share of the channels dropped before them; the paper has none here.
        init_cfg: Initialisation of the convolutions.
        kwargs: Further arguments of ``BaseDecodeHead``.

    Raises:
        ConfigError: If there are no rates, or one is below 1.

    Example:
        >>> head = DeepLabV2Head(8, num_classes=3)
        >>> head((torch.zeros(2, 8, 5, 7),)).shape
        torch.Size([2, 3, 5, 7])
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        rates: Sequence[int] = (6, 12, 18, 24),
        dropout_ratio: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        if not rates or min(rates) < 1:
            raise ConfigError(
                f'rates of DeepLabV2Head: expected dilations of at least 1, received '
                f'{received(rates)}; the paper has (6, 12, 18, 24)'
            )
        super().__init__(
            in_channels,
            1,  # of the layer that is replaced
            dropout_ratio=dropout_ratio,
            init_cfg=init_cfg or dict(type='Normal', std=0.01, override=dict(name='conv_seg')),
            **kwargs,
        )
        self.conv_seg = nn.ModuleList(
            nn.Conv2d(self.in_channels, self.out_channels, 3, padding=rate, dilation=rate)
            for rate in rates
        )

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Segmentation logits.

        Args:
            inputs: The backbone's feature maps; ``in_index`` selects one of shape (B, C, h, w).

        Returns:
            Logits of shape (B, K + 1, h, w).
        """
        features = self._transform_inputs(inputs)
        if self.dropout is not None:
            features = self.dropout(features)
        return torch.stack([conv(features) for conv in self.conv_seg]).sum(dim=0)
