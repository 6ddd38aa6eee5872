"""Projection of class tokens for the class token contrast."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


@MODELS.register_module()
class ProjectionHead(BaseModule):
    """A three-layer MLP, normalisation to unit length and cosines with learned directions.

    ``y_o = cos(mlp(x), v_o)``: the last linear layer is weight-normalised with gain 1, so every
    output lies in [-1, 1] (ToCo's projection for the class token contrast).

    Args:
        in_channels: Width of the class token.
        hidden_channels: Width of the two hidden layers.
        bottleneck_channels: Width of the normalised vector.
        out_channels: Number of directions.
        init_cfg: MMEngine's initialisation config.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 2048,
        bottleneck_channels: int = 256,
        out_channels: int = 1024,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.mlp = nn.Sequential(
            nn.Linear(in_channels, hidden_channels),
            nn.GELU(),
            nn.Linear(hidden_channels, hidden_channels),
            nn.GELU(),
            nn.Linear(hidden_channels, bottleneck_channels),
        )
        for layer in self.mlp:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)
        self.directions = weight_norm(nn.Linear(bottleneck_channels, out_channels, bias=False))
        gain = self.directions.parametrizations.weight.original0
        nn.init.ones_(gain).requires_grad_(False)

    def forward(self, class_token: Tensor) -> Tensor:
        """Cosines with the learned directions.

        Args:
            class_token: Class tokens of shape (N, C).

        Returns:
            Projections of shape (N, O) in [-1, 1].
        """
        return self.directions(F.normalize(self.mlp(class_token), dim=-1))
