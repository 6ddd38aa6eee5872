"""Class boundaries and displacements from the feature maps of a classifier (IRN)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.pixel_pairs import BORDERS, pair_offsets
from wsss_plugin.ops.precision import at_least_float32


@MODELS.register_module()
class IRNHead(BaseModule):
    """Two branches on the five levels of a classification network.

    The boundary branch gives one logit for each cell, the displacement branch a vector in cells
    (IRN, as shipped with ReCAM): 1x1 convolutions with group normalisation, brought to a common
    grid, joined and convolved once more. Nothing of it teaches the backbone.

    Args:
        in_channels: Channels of the five maps, from fine to coarse; those of ResNet-50 by default.
        scales: How many cells of the first two maps' grid a cell of each map is wide. ResNet-50
            with output stride 16 has (1, 1, 2, 4, 4).
        radius: Radius of the pairs in training, in cells of the second map's grid.
        border: Which pairs count at the border, see :func:`wsss_plugin.ops.pair_affinity`.
        edge_channels: Channels of each map in the boundary branch, a multiple of 4.
        channels: Channels of the first, the second and the joined coarse maps in the displacement
            branch; multiples of 8, 16 and 16.
        reads: Names of the backbone's feature maps, in the order of ``in_channels``.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If there are not five maps, a number of channels does not fit, the radius is out
            of range or the border unknown.

    Examples:
        >>> import torch
        >>> head = IRNHead(in_channels=(4, 8, 8, 8, 8), channels=(8, 16, 16), radius=3)
        >>> maps = [torch.rand(1, c, s, s) for c, s in zip((4, 8, 8, 8, 8), (8, 8, 4, 2, 2))]
        >>> [tuple(output.shape) for output in head(maps)]
        [(1, 1, 8, 8), (1, 2, 8, 8)]
    """

    mean_displacement: Tensor

    def __init__(
        self,
        in_channels: Sequence[int] = (64, 256, 512, 1024, 2048),
        scales: Sequence[int] = (1, 1, 2, 4, 4),
        radius: int = 10,
        border: str = 'complete',
        edge_channels: int = 32,
        channels: Sequence[int] = (64, 128, 256),
        reads: Sequence[str] = ('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self._check(in_channels, scales, reads, edge_channels, channels)
        if border not in BORDERS:
            raise ValueError(f'expected border among {BORDERS}, received {border!r}')
        pair_offsets(radius)
        self.scales, self.reads = tuple(scales), tuple(reads)
        self.radius, self.border = radius, border
        self.edge_levels = nn.ModuleList(
            _level(inputs, edge_channels, groups=4) for inputs in in_channels
        )
        self.edge = nn.Conv2d(5 * edge_channels, 1, kernel_size=1)
        fine, middle, coarse = channels
        widths = (fine, middle, coarse, coarse, coarse)
        self.displacement_levels = nn.ModuleList(
            _level(inputs, outputs, groups=8 if number == 0 else 16)
            for number, (inputs, outputs) in enumerate(zip(in_channels, widths, strict=True))
        )
        self.displacement_coarse = _level(3 * coarse, coarse, groups=16)
        self.displacement_joined = _level(sum(channels), coarse, groups=16)
        self.displacement = nn.Conv2d(coarse, 2, kernel_size=1, bias=False)
        self.register_buffer('mean_displacement', torch.zeros(2))

    @staticmethod
    def _check(
        in_channels: Sequence[int],
        scales: Sequence[int],
        reads: Sequence[str],
        edge_channels: int,
        channels: Sequence[int],
    ) -> None:
        if not len(in_channels) == len(scales) == len(reads) == 5 or len(channels) != 3:
            raise ValueError(
                'expected five in_channels, scales and reads, and three channels of IRNHead, '
                f'received {tuple(in_channels)}, {tuple(scales)}, {tuple(reads)} and '
                f'{tuple(channels)}'
            )
        if any(width % groups for width, groups in zip(channels, (8, 16, 16), strict=True)):
            raise ValueError(
                'expected channels of IRNHead to be multiples of 8, 16 and 16, the groups of '
                f'their normalisation, received {tuple(channels)}'
            )
        if edge_channels % 4:
            raise ValueError(
                f'expected edge_channels of IRNHead as a multiple of 4, received {edge_channels}'
            )

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Boundary logits and displacements.

        Args:
            maps: The five feature maps, each (B, C, h, w); no gradient reaches them.

        Returns:
            Logits (B, 1, h, w) and displacements (B, 2, h, w) on the grid of the second map; in
            evaluation the displacements are less their stored mean.

        Raises:
            ValueError: If there are not five maps.
        """
        if len(maps) != 5:
            raise ValueError(f'expected the five feature maps {self.reads}, received {len(maps)}')
        maps = [features.detach() for features in maps]
        displacement = self._displacement(maps)
        if not self.training:
            displacement = displacement - self.mean_displacement.view(1, 2, 1, 1)
        return self._edge(maps), displacement

    def _edge(self, maps: Sequence[Tensor]) -> Tensor:
        size = maps[1].shape[2:]
        levels = zip(self.edge_levels, maps, self.scales, strict=True)
        joined = [_enlarged(level(features), scale, size) for level, features, scale in levels]
        return self.edge(torch.cat(joined, dim=1))

    def _displacement(self, maps: Sequence[Tensor]) -> Tensor:
        fine, coarse = maps[1].shape[2:], maps[2].shape[2:]
        reduced = [
            level(features) for level, features in zip(self.displacement_levels, maps, strict=True)
        ]
        inner = [scale // self.scales[2] for scale in self.scales[2:]]
        joined = [
            _enlarged(features, scale, coarse)
            for features, scale in zip(reduced[2:], inner, strict=True)
        ]
        joined_coarse = self.displacement_coarse(torch.cat(joined, dim=1))
        levels = zip((*reduced[:2], joined_coarse), self.scales[:3], strict=True)
        parts = [_enlarged(features, scale, fine) for features, scale in levels]
        return self.displacement(self.displacement_joined(torch.cat(parts, dim=1)).relu())

    @staticmethod
    def merged_edge(logits: Tensor) -> Tensor:
        """Boundary probabilities from images and their mirror images.

        Args:
            logits: Logits (2B, 1, h, w); the second half belongs to horizontally flipped images.

        Returns:
            ``sigmoid((z + flip(z')) / 2)``, (B, 1, h, w), float32 or wider.

        Raises:
            ValueError: If the batch is odd.
        """
        if len(logits) % 2:
            raise ValueError(
                f'expected as many flipped as unflipped maps, received {len(logits)} maps in all'
            )
        images, mirrored = at_least_float32(logits).chunk(2)
        return ((images + mirrored.flip(-1)) / 2).sigmoid()

    def store_mean(self, displacements: Sequence[Tensor]) -> None:
        """Stores the mean displacement, which a training leaves undetermined.

        Args:
            displacements: Displacements in training mode, each (B, 2, h, w), of many images.

        Raises:
            ValueError: If there are none.
        """
        if not displacements:
            raise ValueError('expected the displacements of at least one image, received none')
        images = torch.cat([field.detach().mean(dim=(2, 3)) for field in displacements])
        self.mean_displacement.copy_(images.mean(dim=0))


def _level(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=1, bias=False), nn.GroupNorm(groups, outputs)
    )


def _enlarged(features: Tensor, scale: int, size: torch.Size) -> Tensor:
    """Enlarged by a whole factor, rectified, and cropped to a grid."""
    if scale != 1:
        features = F.interpolate(features, scale_factor=scale, mode='bilinear')
    return features.relu()[..., : size[0], : size[1]]
