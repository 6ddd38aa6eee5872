"""Features that are gathered from the attention of all blocks while they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from wsss_plugin.models.backbones.attention_maps import AttentionMaps
from wsss_plugin.models.backbones.feature_backbone import Reduction

HEADS = 'class_to_patch'
MEAN = 'class_to_patch.mean'
PATCHES = 'patch_to_patch'


class AttentionFeatures:
    """Asks every block only for those weights that are needed, and keeps no more of them.

    Args:
        names: Names of the wanted features, others among them.
        depth: Number of blocks.
        mean_blocks: Number of last blocks over which ``class_to_patch.mean`` is summed.
        reduce: By the name of a feature what takes the place of its sum over the blocks, or of its
            concatenation.
    """

    def __init__(
        self,
        names: Sequence[str],
        depth: int,
        mean_blocks: int,
        reduce: Mapping[str, Reduction] | None = None,
    ) -> None:
        self._names = {name for name in (HEADS, MEAN, PATCHES) if name in names}
        self._first_of_mean = depth - mean_blocks
        self._reduce = dict(reduce or {})
        self._found: dict[str, Any] = {}

    def wants(self, index: int) -> tuple[bool, bool]:
        """Whether a block's weights are needed.

        Args:
            index: Index of the block.

        Returns:
            Of class tokens to patches, and between patches.
        """
        wanted = {name for name in self._names if self._counts(name, index)}
        return not wanted.isdisjoint((HEADS, MEAN)), PATCHES in wanted

    def _counts(self, name: str, index: int) -> bool:
        return name != MEAN or name in self._reduce or index >= self._first_of_mean

    def add(self, index: int, maps: AttentionMaps, grid: tuple[int, int]) -> None:
        """Takes the weights of a block.

        Args:
            index: Index of the block.
            maps: Its weights.
            grid: Height and width of the patches.
        """
        for name in sorted(self._names):
            if self._counts(name, index):
                self._found[name] = self._combined(name, index, _value(name, maps, grid))

    def _combined(self, name: str, index: int, value: Tensor) -> Any:
        before = self._found.get(name)
        if name in self._reduce:
            return self._reduce[name](before, index, value)
        if name == HEADS:
            return [*(before or ()), value]
        return value if before is None else before + value

    def result(self) -> dict[str, Tensor]:
        """The features by name."""
        return {
            name: torch.cat(found, dim=1) if isinstance(found, list) else found
            for name, found in self._found.items()
        }


def _value(name: str, maps: AttentionMaps, grid: tuple[int, int]) -> Any:
    if name == PATCHES:
        return maps.patch_to_patch
    heads: Any = maps.class_to_patch
    of_block = heads.flatten(1, 2) if name == HEADS else heads.mean(dim=1)
    # Behind unflatten the exporter to ONNX takes the grid for one that never changes.
    return of_block.reshape(*of_block.shape[:2], *grid)
