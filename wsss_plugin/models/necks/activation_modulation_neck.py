"""Activation modulation of several feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule, ModuleList
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.necks.activation_modulation import ActivationModulation


@MODELS.register_module()
class ActivationModulationNeck(BaseModule):
    """Modulates every feature map of a backbone (dual-branch paper, equations 2 to 7).

    Args:
        in_channels: Channels of each feature map.
        init_cfg: MMEngine's initialisation config.
        kwargs: Further arguments of ``ActivationModulation``.

    Raises:
        ValueError: If there is no feature map.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg)
        if not in_channels:
            raise ValueError('expected in_channels of at least one feature map, received none')
        self.in_channels = tuple(in_channels)
        self.modulations = ModuleList(
            ActivationModulation(channels, **kwargs) for channels in in_channels
        )

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Modulated feature maps.

        Args:
            inputs: Feature maps, each (B, C, h, w).

        Returns:
            Feature maps of the same shapes.

        Raises:
            ValueError: If their number or their channels are not those of ``in_channels``.
        """
        if len(inputs) != len(self.modulations):
            raise ValueError(
                f'expected {len(self.modulations)} feature maps (in_channels of the neck), '
                f'received {len(inputs)}; set out_indices of the backbone accordingly'
            )
        channels = tuple(features.shape[1] for features in inputs)
        if channels != self.in_channels:
            raise ValueError(
                f'expected feature maps of {self.in_channels} channels (in_channels of the neck), '
                f'received {channels}; set in_channels accordingly'
            )
        return tuple(
            modulation(features)
            for modulation, features in zip(self.modulations, inputs, strict=True)
        )
