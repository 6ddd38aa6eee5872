"""Block of two convolutions of the wide residual network."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class WideResidualBlock(nn.Module):
    """Two 3x3 convolutions behind normalisation and ReLU, and a shortcut.

    With ``a = ReLU(BN(x))``, the block gives ``s(x) + conv(ReLU(BN(conv(a))))``; the shortcut s is
    the input itself, or a 1x1 convolution of a where channels or grid change (Wu et al., "Wider or
    deeper", model A1). Parameters have the published names.

    Args:
        in_channels: Channels of the input.
        hidden_channels: Channels between the convolutions.
        out_channels: Channels of the output.
        stride: Stride of the first convolution and of the shortcut.
        first_dilation: Dilation of the first convolution.
        dilation: Dilation of the second convolution.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        stride: int = 1,
        first_dilation: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(in_channels)
        self.conv_branch2a = nn.Conv2d(
            in_channels,
            hidden_channels,
            kernel_size=3,
            stride=stride,
            padding=first_dilation,
            dilation=first_dilation,
            bias=False,
        )
        self.bn_branch2b1 = nn.BatchNorm2d(hidden_channels)
        self.conv_branch2b1 = nn.Conv2d(
            hidden_channels,
            out_channels,
            kernel_size=3,
            padding=dilation,
            dilation=dilation,
            bias=False,
        )
        self.conv_branch1: nn.Module | None = None
        if in_channels != out_channels or stride != 1:
            self.conv_branch1 = nn.Conv2d(
                in_channels, out_channels, kernel_size=1, stride=stride, bias=False
            )

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
            Feature map (B, C', h', w').
        """
        if activation is None:
            activation = self.activation(inputs)
        shortcut = inputs if self.conv_branch1 is None else self.conv_branch1(activation)
        residual = self.conv_branch2a(activation)
        return shortcut + self.conv_branch2b1(F.relu(self.bn_branch2b1(residual)))
