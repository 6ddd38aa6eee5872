"""The dual-branch paper's activation modulation."""

from __future__ import annotations

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.modulation import GAUSSIANS, gaussian_gate

_ORDERS = ('serial', 'parallel')
_STATISTICS = ('image', 'batch')


@MODELS.register_module()
class ActivationModulation(BaseModule):
    """Damps the strongest and the weakest activations, of channels and then of positions.

    Channel gate ``g(W2 relu(W1 avg(F)))`` (dual-branch paper, equations 2 and 3) and spatial gate
    ``g(norm(conv7x7(cat(max(A), mean(A)))))`` (equation 4) with the Gaussian g of equations 5 to 7.
    The defaults are the equations, and two layers and a normalisation from AMR where they are
    silent; ``statistics='batch', gaussian='density'`` is AMR's module.

    Args:
        channels: Channels of the feature map.
        reduction: The channel gate's hidden layer has ``channels // reduction`` units.
        order: 'serial' computes the spatial gate from the channel-modulated map; 'parallel'
            computes both gates from the input and multiplies it by their mean.
        channel: Use the channel gate.
        spatial: Use the spatial gate.
        statistics: 'image' takes mean and standard deviation per image, dividing by M as in
            equation 7; 'batch' over the whole batch of this process, dividing by M - 1.
        gaussian: 'peak' has the maximum 1, 'density' the integral 1.
        norm_cfg: Config of the normalisation before the spatial gate, or None for none. 'auto' is
            AMR's batch norm with statistics 'batch', and none with statistics 'image', which
            standardise each image by themselves.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If an option is unknown, there is no gate, or a number is not positive.

    >>> module = ActivationModulation(channels=32)
    >>> module(torch.zeros(2, 32, 5, 7)).shape
    torch.Size([2, 32, 5, 7])
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        order: str = 'serial',
        channel: bool = True,
        spatial: bool = True,
        statistics: str = 'image',
        gaussian: str = 'peak',
        norm_cfg: dict | str | None = 'auto',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        _check_choice('order', order, _ORDERS)
        _check_choice('statistics', statistics, _STATISTICS)
        _check_choice('gaussian', gaussian, GAUSSIANS)
        if channels < 1 or reduction < 1:
            raise ValueError(
                'expected positive channels and reduction of the modulation, received '
                f'channels={channels} and reduction={reduction}'
            )
        if not (channel or spatial):
            raise ValueError(
                'expected channel=True or spatial=True, received neither; leave the modulation out '
                'instead'
            )
        if norm_cfg == 'auto':
            norm_cfg = dict(type='BN', momentum=0.01) if statistics == 'batch' else None
        self.order = order
        self.statistics = statistics
        self.gaussian = gaussian
        self.channel_layers: nn.Module | None = None
        self.spatial_layers: nn.Module | None = None
        if channel:
            hidden = max(1, channels // reduction)
            self.channel_layers = nn.Sequential(
                nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
            )
        if spatial:
            norm = build_norm_layer(norm_cfg, 1)[1] if norm_cfg else nn.Identity()
            conv = nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False)
            self.spatial_layers = nn.Sequential(conv, norm)

    def forward(self, features: Tensor) -> Tensor:
        """Modulated features.

        Args:
            features: Feature map of shape (B, C, h, w).

        Returns:
            Feature map of shape (B, C, h, w), of the same type.
        """
        if self.channel_layers is None:
            return _scaled(features, self.spatial_gate(features))
        channel_gate = self.channel_gate(features)
        if self.spatial_layers is None:
            return _scaled(features, channel_gate)
        if self.order == 'parallel':
            return _scaled(features, (channel_gate + self.spatial_gate(features)) / 2)
        modulated = _scaled(features, channel_gate)
        return _scaled(modulated, self.spatial_gate(modulated))

    def channel_gate(self, features: Tensor) -> Tensor:
        """Gate of each channel (equation 2).

        Args:
            features: Feature map of shape (B, C, h, w).

        Returns:
            Gate of shape (B, C, 1, 1), float32 or wider.

        Raises:
            RuntimeError: If the module has no channel gate.
        """
        if self.channel_layers is None:
            raise RuntimeError('expected channel=True, received a modulation without channel gate')
        values = self.channel_layers(features.mean(dim=(2, 3)))
        return self._gate(values[:, :, None, None])

    def spatial_gate(self, features: Tensor) -> Tensor:
        """Gate of each position (equation 4).

        Args:
            features: Feature map of shape (B, C, h, w).

        Returns:
            Gate of shape (B, 1, h, w), float32 or wider.

        Raises:
            RuntimeError: If the module has no spatial gate.
        """
        if self.spatial_layers is None:
            raise RuntimeError('expected spatial=True, received a modulation without spatial gate')
        pooled = (features.max(dim=1, keepdim=True).values, features.mean(dim=1, keepdim=True))
        return self._gate(self.spatial_layers(torch.cat(pooled, dim=1)))

    def _gate(self, values: Tensor) -> Tensor:
        per_batch = self.statistics == 'batch'
        dims = (0, 1, 2, 3) if per_batch else (1, 2, 3)
        return gaussian_gate(values, dims, self.gaussian, unbiased=per_batch)


def _scaled(features: Tensor, gate: Tensor) -> Tensor:
    # A density of narrow width exceeds the range of float16; the product need not.
    return (features * gate).to(features.dtype)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f'expected {name} in {choices}, received {value!r}')
