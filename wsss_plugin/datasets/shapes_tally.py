"""Statistics of the generated shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wsss_plugin.datasets import shapes_textures as textures
from wsss_plugin.datasets.shapes_scene import ShapesScene

if TYPE_CHECKING:
    from wsss_plugin.datasets.shapes_generator import ShapesGenerator


class ShapesTally:
    """Adds up the statistics of a split.

    Args:
        generator (ShapesGenerator): Names classes and groups and measures colours.
    """

    def __init__(self, generator: ShapesGenerator) -> None:
        self._generator = generator
        self._scenes: list[tuple[tuple[int, ...], tuple[str, ...], str]] = []
        self._ratios: dict[bool, list[float]] = {True: [], False: []}
        self._distances: dict[bool, list[float]] = {True: [], False: []}
        self._foreground: list[float] = []

    def add(self, scene: ShapesScene) -> None:
        """Counts a scene.

        Args:
            scene (ShapesScene): Of this split.
        """
        self._scenes.append((scene.labels, scene.groups, scene.background))
        self._ratios['partial_activation' in scene.groups] += scene.part_ratios()
        distances = self._generator.colour_distances(scene)
        self._distances['camouflage' in scene.groups] += distances
        self._foreground.append(float((scene.mask > 0).mean()))

    def summary(self) -> dict[str, Any]:
        """Returns counts and means of the scenes added so far.

        Returns:
            dict[str, Any]: Plain values by name; means are None where nothing was counted.
        """
        classes = self._generator.CLASSES
        having = {
            name: [scene for scene in self._scenes if index in scene[0]]
            for index, name in enumerate(classes)
        }
        return {
            'images': len(self._scenes),
            'objects_per_image': {
                str(count): sum(len(scene[0]) == count for scene in self._scenes)
                for count in range(1, self._generator.config.max_objects + 1)
            },
            'images_per_class': {name: len(scenes) for name, scenes in having.items()},
            'images_per_group': {
                group: sum(group in scene[1] for scene in self._scenes)
                for group in self._generator.GROUPS
            },
            'images_per_background': {
                family: sum(scene[2] == family for scene in self._scenes)
                for family in textures.BACKGROUNDS
            },
            'water_share_per_class': {
                name: _mean([float(scene[2] == 'water') for scene in scenes])
                for name, scenes in having.items()
            },
            'camouflage_share_per_class': {
                name: _mean([float('camouflage' in scene[1]) for scene in scenes])
                for name, scenes in having.items()
            },
            'foreground_share': _mean(self._foreground),
            'small_part_ratio_mean': _mean(self._ratios[True]),
            'small_part_ratio_max': max(self._ratios[True], default=None),
            'large_part_ratio_mean': _mean(self._ratios[False]),
            'camouflage_distance_mean': _mean(self._distances[True]),
            'other_distance_mean': _mean(self._distances[False]),
        }


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
