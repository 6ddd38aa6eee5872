"""Block of three convolutions of the wide residual network."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class WideBottleneckBlock(nn.Module):
    """A 1x1, a dilated 3x3 and a 1x1 convolution that widen, with dropout, and a shortcut.

    The two last levels of the wide residual network (Wu et al., "Wider or deeper", model A1): a
    quarter and half of the output's channels, each convolution behind normalisation and ReLU, whole
    channels dropped before the second and third. Parameters have the published names.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, a multiple of 4.
        dilation: Dilation of the 3x3 convolution.
        dropout: Share of channels that are dropped in training.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        quarter, half = out_channels // 4, out_channels // 2
        self.dropout = nn.Dropout2d(dropout)
        self.bn_branch2a = nn.BatchNorm2d(in_channels)
        self.conv_branch2a = nn.Conv2d(in_channels, quarter, kernel_size=1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(quarter)
        self.conv_branch2b1 = nn.Conv2d(
            quarter, half, kernel_size=3, padding=dilation, dilation=dilation, bias=False
        )
        self.bn_branch2b2 = nn.BatchNorm2d(half)
        self.conv_branch2b2 = nn.Conv2d(half, out_channels, kernel_size=1, bias=False)
        self.conv_branch1 = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)

    def activation(self, inputs: Tensor) -> Tensor:
        """The normalised and rectified input, which AffinityNet takes as a feature map.

        Args:
            inputs: Feature map (B, C, h, w).

        Returns:
            Feature map of the same shape.
        """
        return F.relu(self.bn_branch2a(inputs))

    def forward(self, inputs: Tensor, activation: Tensor | None = None) -> Tensor:
        """The output of the block.

        Args:
            inputs: Feature map (B, C, h, w).
            activation: What :meth:`activation` gives for it, if known.

        Returns:
            Feature map (B, C', h, w).
        """
        if activation is None:
            activation = self.activation(inputs)
        residual = self.dropout(F.relu(self.bn_branch2b1(self.conv_branch2a(activation))))
        residual = self.dropout(F.relu(self.bn_branch2b2(self.conv_branch2b1(residual))))
        return self.conv_branch1(activation) + self.conv_branch2b2(residual)
