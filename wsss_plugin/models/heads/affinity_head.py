"""Features whose distances are affinities (AffinityNet)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.affinity import pair_affinity
from wsss_plugin.ops.pixel_pairs import BORDERS, pair_offsets


@MODELS.register_module()
class AffinityHead(BaseModule):
    """Gathers several feature maps of a backbone into one, and compares near positions.

    ``F = ELU(conv(cat_l ELU(conv_l(x_l))))`` by 1x1 convolutions without biases (AffinityNet,
    Section 4), then ``W_ij = exp(-||F_i - F_j||_1 / C)``. Three maps have the published names
    ``f8_3``, ``f8_4``, ``f8_5`` and ``f9``.

    Args:
        in_channels: Channels of each map; those of ResNet-38d by default.
        channels: Channels to which each map is reduced; (64, 128, 256) in the published code, (128,
            256, 512) in the paper. The gathered map has their sum.
        radius: Radius of the pairs in cells of the first map's grid.
        border: Which pairs count at the border, see :func:`wsss_plugin.ops.pair_affinity`.
        reads: Names of the backbone's feature maps, in the order of ``in_channels``.
        detach: Whether the affinities teach the head alone, and the backbone stays as it is.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If the numbers of maps differ, the radius is out of range or the border
            unknown.

    Examples:
        >>> import torch
        >>> head = AffinityHead(in_channels=(8, 16), channels=(2, 4), radius=3)
        >>> maps = torch.rand(1, 8, 6, 6), torch.rand(1, 16, 3, 3)
        >>> head(maps).shape, head.affinity(maps).shape
        (torch.Size([1, 6, 6, 6]), torch.Size([1, 12, 36]))
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (512, 1024, 4096),
        channels: Sequence[int] = (64, 128, 256),
        radius: int = 5,
        border: str = 'complete',
        reads: Sequence[str] | None = None,
        detach: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(channels) or len(reads or channels) != len(channels):
            raise ValueError(
                'expected as many in_channels as channels and as names in reads, received '
                f'{tuple(in_channels)}, {tuple(channels)} and {reads}'
            )
        if border not in BORDERS:
            raise ValueError(f'expected border among {BORDERS}, received {border!r}')
        pair_offsets(radius)
        self.radius = radius
        self.border = border
        self.reads = tuple(reads or ())
        self.detach = detach
        self.reductions = [f'f8_{level}' for level in range(3, 3 + len(channels))]
        for name, inputs, outputs in zip(self.reductions, in_channels, channels, strict=True):
            reduction = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
            nn.init.kaiming_normal_(reduction.weight)
            self.add_module(name, reduction)
        self.f9 = nn.Conv2d(sum(channels), sum(channels), kernel_size=1, bias=False)
        nn.init.xavier_uniform_(self.f9.weight, gain=4)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """The gathered features.

        Args:
            maps: Feature maps, each (B, C, h, w); maps on other grids are resized to the first's.

        Returns:
            Features of shape (B, sum of channels, h, w).

        Raises:
            ValueError: If there are more or fewer maps than the head has been built for.
        """
        if len(maps) != len(self.reductions):
            raise ValueError(
                f'expected {len(self.reductions)} feature maps, one for each of in_channels, '
                f'received {len(maps)}; choose them by out_indices of the backbone or by reads'
            )
        size = maps[0].shape[2:]
        if self.detach:
            maps = [features.detach() for features in maps]
        reduced = [
            self._resized(F.elu(self.get_submodule(name)(features)), size)
            for name, features in zip(self.reductions, maps, strict=True)
        ]
        return F.elu(self.f9(torch.cat(reduced, dim=1)))

    def affinity(self, maps: Sequence[Tensor]) -> Tensor:
        """Affinity of every pair of near positions.

        Args:
            maps: Feature maps, each (B, C, h, w).

        Returns:
            Affinity of shape (B, P, S) in [0, 1], see :func:`wsss_plugin.ops.pair_affinity`.

        Raises:
            ValueError: If the grid is too small for the radius.
        """
        return pair_affinity(self(maps), self.radius, self.border)

    @staticmethod
    def _resized(features: Tensor, size: torch.Size) -> Tensor:
        if features.shape[2:] == size:
            return features
        return F.interpolate(features, size=size, mode='bilinear', align_corners=False)
