"""Generator of the embedded data set, hard in the ways weak supervision is hard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
from PIL import Image

from wsss_plugin.datasets import shapes_textures as textures
from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_scene import ShapesScene
from wsss_plugin.datasets.shapes_tally import ShapesTally
from wsss_plugin.errors import ConfigError, ConfigTypeError, ExistingFileError

_SPLITS = ('train', 'val')
_PLACEMENTS = 60
_ATTEMPTS = 400


class ShapesGenerator:
    """Draws textured scenes in which the failure modes of weak supervision exist by construction.

    Six classes are three bodies (silhouette and texture), each shared by two classes that only a
    small saturated part tells apart. Groups of an image:

    * ``partial_activation``: every part covers less than ``small_part_ratio`` of its object;
    * ``over_activation``: the background is water, which co-occurs with the first class;
    * ``camouflage``: every body has nearly the mean colour of the background around it;
    * ``plain``: none of these.

    Image ``index`` of a split depends only on the seed, the split, the index and the parameters
    of the drawing, so a longer set begins with the images of a shorter one.

    Args:
        config (ShapesConfig | None): Parameters; the defaults when None.

    Example:
        >>> scene = ShapesGenerator(ShapesConfig(train=1, val=0, size=48)).scene('train', 0)
        >>> scene.image.shape, scene.mask.shape
        ((48, 48, 3), (48, 48))
    """

    CLASSES = tuple(textures.CLASSES)
    GROUPS = ('camouflage', 'over_activation', 'partial_activation', 'plain')
    PALETTE = ((0, 0, 0), *(colours[0] for _, colours, _ in textures.CLASSES.values()))

    def __init__(self, config: ShapesConfig | None = None) -> None:
        if config is not None and not isinstance(config, ShapesConfig):
            raise ConfigTypeError(
                f'config: expected a ShapesConfig, received {type(config).__name__}'
            )
        self.config = config or ShapesConfig()
        self._grid = textures.pixel_grid(self.config.size)

    def scene(self, split: str, index: int) -> ShapesScene:
        """Draws one scene.

        Args:
            split (str): ``'train'`` or ``'val'``.
            index (int): Position in the split, not negative.

        Returns:
            ShapesScene: Image, masks, labels and groups.

        Raises:
            ConfigError: Unknown split or negative index.
            RuntimeError: The parameters leave no room for a valid scene.
        """
        if split not in _SPLITS or index < 0:
            raise ConfigError(
                f'split, index: expected one of {_SPLITS} and an index of at least 0, '
                f'received {split!r} and {index}'
            )
        rng = np.random.default_rng([self.config.seed, _SPLITS.index(split), index])
        plan = self._plan(rng)
        for _ in range(_ATTEMPTS):
            scene = self._draw(rng, *plan)
            if scene is not None and self._is_valid(scene):
                return scene
        raise RuntimeError(
            f'no valid scene for {split} image {index} after {_ATTEMPTS} attempts; lower '
            'max_diameter, max_objects or separation_distance, or raise camouflage_distance'
        )

    def _plan(self, rng: np.random.Generator) -> tuple[tuple[int, ...], str, bool, bool]:
        config = self.config
        weights = np.array([0.45, 0.35, 0.2])[: config.max_objects]
        count = 1 + int(rng.choice(config.max_objects, p=weights / weights.sum()))
        labels = tuple(int(label) for label in rng.integers(0, len(self.CLASSES), count))
        rate = config.cooccurrence_rate if 0 in labels else config.stray_water_rate
        family = 'water' if rng.random() < rate else str(rng.choice(textures.BACKGROUNDS[:-1]))
        small = bool(rng.random() < config.partial_rate)
        camouflaged = bool(rng.random() < config.camouflage_rate)
        return labels, family, small, camouflaged

    def _draw(
        self,
        rng: np.random.Generator,
        labels: tuple[int, ...],
        family: str,
        small: bool,
        camouflaged: bool,
    ) -> ShapesScene | None:
        size = self.config.size
        canvas = textures.background(rng, family, size)
        backdrop = canvas.copy()
        instances = np.zeros((size, size), np.uint8)
        parts = np.zeros((size, size), bool)
        for order, label in enumerate(labels, start=1):
            placed = self._place(rng, label, small, len(labels), instances, parts)
            if placed is None:
                return None
            grid, part_grid, part_diameter, body_distance, part_distance = placed
            area = np.minimum(body_distance, part_distance) < 0
            colour = self._body_colour(rng, label, area, backdrop, camouflaged)
            relief = textures.body_texture(rng, self._body(label), grid, self.config.unit)
            relief -= relief[area].mean()
            _blend(canvas, colour + relief[..., None], body_distance)
            part = textures.part_colours(self.CLASSES[label], part_grid, part_diameter)
            _blend(canvas, part, part_distance)
            instances[area] = order
            parts = (parts & ~area) | (part_distance < 0)
        image = self._light(rng, canvas)
        lookup = np.array([0, *(label + 1 for label in labels)], np.uint8)
        groups = self._groups(family, small, camouflaged)
        return ShapesScene(image, lookup[instances], instances, parts, labels, groups, family)

    def _body(self, label: int) -> str:
        return textures.CLASSES[self.CLASSES[label]][0]

    def _place(
        self,
        rng: np.random.Generator,
        label: int,
        small: bool,
        count: int,
        instances: np.ndarray,
        parts: np.ndarray,
    ) -> tuple[textures.Grid, textures.Grid, float, np.ndarray, np.ndarray] | None:
        """Finds a place where the object is whole and hides no earlier part nor much else."""
        config = self.config
        # Three of the largest objects would not fit beside each other.
        largest = config.max_diameter - (config.max_diameter - config.min_diameter) * (
            0.25 * (count - 1)
        )
        for _ in range(_PLACEMENTS):
            diameter = rng.uniform(config.min_diameter, largest) * config.unit
            margin = 0.55 * diameter
            centre = tuple(rng.uniform(margin, config.size - margin, 2))
            grid = textures.rotate(self._grid, (centre[0], centre[1]), rng.uniform(0, 2 * np.pi))
            outline = textures.silhouette(self._body(label), diameter)
            body = outline(*grid)
            spot, turn = self._part_spot(rng, outline, diameter)
            part_grid = textures.rotate(grid, spot, turn)
            wanted = self._part_diameter(rng, small, float((body < 0).sum()))
            part = np.hypot(*part_grid) - wanted / 2
            area = np.minimum(body, part) < 0
            if self._fits(area, instances, parts):
                return grid, part_grid, wanted, body, part
        return None

    def _part_diameter(self, rng: np.random.Generator, small: bool, area: float) -> float:
        config = self.config
        if not small:
            return float(np.sqrt(rng.uniform(0.3, 0.4) * area * 4 / np.pi))
        # Drawn from the allowed range, yet never so large that the ratio is out of reach.
        limit = np.sqrt(0.9 * config.small_part_ratio * area * 4 / np.pi)
        low, high = config.min_part * config.unit, config.max_part * config.unit
        return float(rng.uniform(low, max(low, min(high, limit))))

    @staticmethod
    def _part_spot(
        rng: np.random.Generator, outline: Any, diameter: float
    ) -> tuple[tuple[float, float], float]:
        """Returns a point just inside the outline in a random direction, and a rotation."""
        angle = rng.uniform(0, 2 * np.pi)
        steps = np.linspace(0, diameter, 200)
        inside = outline(steps * np.cos(angle), steps * np.sin(angle)) < -0.05 * diameter
        reach = float(steps[inside].max()) if inside.any() else 0.0
        return (reach * np.cos(angle), reach * np.sin(angle)), rng.uniform(0, 2 * np.pi)

    @staticmethod
    def _fits(area: np.ndarray, instances: np.ndarray, parts: np.ndarray) -> bool:
        border = area[0].any() or area[-1].any() or area[:, 0].any() or area[:, -1].any()
        if border or (area & parts).any():
            return False
        for earlier in range(1, int(instances.max()) + 1):
            object_area = instances == earlier
            if (object_area & area).sum() > 0.25 * object_area.sum():
                return False
        return True

    def _body_colour(
        self,
        rng: np.random.Generator,
        label: int,
        area: np.ndarray,
        backdrop: np.ndarray,
        camouflaged: bool,
    ) -> np.ndarray:
        if camouflaged:
            local = backdrop[_surroundings(area, self.config.unit)].mean(axis=0)
            return local + rng.uniform(-3, 3, 3).astype(np.float32)
        family = np.array(textures.BODY_COLOURS[self._body(label)], np.float32)
        return family * np.float32(rng.uniform(0.85, 1.15)) + rng.uniform(-12, 12, 3)

    def _light(self, rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
        angle = rng.uniform(0, 2 * np.pi)
        x, y = (axis / self.config.size - 0.5 for axis in self._grid)
        ramp = 1 + rng.uniform(0, 0.12) * 2 * (x * np.cos(angle) + y * np.sin(angle))
        lit = canvas * (rng.uniform(0.9, 1.1) * ramp)[..., None]
        return np.clip(lit + rng.normal(0, 4, canvas.shape), 0, 255).round().astype(np.uint8)

    @staticmethod
    def _groups(family: str, small: bool, camouflaged: bool) -> tuple[str, ...]:
        modes = {
            'camouflage': camouflaged,
            'over_activation': family == 'water',
            'partial_activation': small,
        }
        return tuple(name for name, holds in modes.items() if holds) or ('plain',)

    def _is_valid(self, scene: ShapesScene) -> bool:
        config = self.config
        small = 'partial_activation' in scene.groups
        for ratio in scene.part_ratios():
            if ratio <= 0 or (ratio >= config.small_part_ratio) == small:
                return False
            if not small and ratio < config.large_part_ratio:
                return False
        distances = self.colour_distances(scene)
        if 'camouflage' in scene.groups:
            return max(distances) < config.camouflage_distance
        return min(distances) >= config.separation_distance

    def colour_distances(self, scene: ShapesScene) -> list[float]:
        """Measures how far every body's mean colour is from the background around it.

        Args:
            scene (ShapesScene): A scene of this generator's size.

        Returns:
            list[float]: RGB distance (0 to 441) of every object, its part left out.
        """
        distances = []
        image = scene.image.astype(np.float64)
        for index in range(len(scene.labels)):
            area = scene.instances == index + 1
            around = _surroundings(area, self.config.unit) & (scene.mask == 0)
            body = area & ~scene.parts
            if not around.any() or not body.any():
                distances.append(float('nan'))
                continue
            difference = image[body].mean(axis=0) - image[around].mean(axis=0)
            distances.append(float(np.linalg.norm(difference)))
        return distances

    def write(self, folder: str | Path) -> dict[str, Any]:
        """Writes both splits in VOC layout, or reuses a folder made with the same parameters.

        Args:
            folder (str | Path): Target; created when missing.

        Returns:
            dict: The statistics, as in ``statistics.json``.

        Raises:
            ExistingFileError: The folder holds something else or another configuration.
        """
        root = Path(folder)
        stored = root / 'statistics.json'
        if stored.is_file():
            return self._reuse(root, json.loads(stored.read_text()))
        if root.is_dir() and any(root.iterdir()):
            raise ExistingFileError(
                f'{root}: expected an empty folder or a finished shapes data set, received other '
                'or unfinished content; remove it or choose another folder'
            )
        for name in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation'):
            (root / name).mkdir(parents=True, exist_ok=True)
        tags: dict[str, list[str]] = {}
        groups: dict[str, list[str]] = {}
        statistics: dict[str, Any] = {'config': self.config.as_dict()}
        for split in _SPLITS:
            statistics[split] = self._write_split(root, split, tags, groups)
        _dump(root / 'tags.json', tags)
        _dump(root / 'groups.json', groups)
        # Last, because its presence is what marks the folder as complete.
        _dump(stored, statistics)
        return statistics

    def _reuse(self, root: Path, statistics: dict[str, Any]) -> dict[str, Any]:
        expected, received = self.config.as_dict(), statistics.get('config', {})
        differing = sorted(k for k in expected if expected[k] != received.get(k))
        if differing:
            changes = ', '.join(f'{k}={received.get(k)!r} (not {expected[k]!r})' for k in differing)
            raise ExistingFileError(
                f'{root}: expected a shapes data set with this configuration, received one with '
                f'{changes}; remove the folder or choose another one'
            )
        return statistics

    def _write_split(
        self, root: Path, split: str, tags: dict[str, list[str]], groups: dict[str, list[str]]
    ) -> dict[str, Any]:
        tally = ShapesTally(self)
        names = []
        for index in range(getattr(self.config, split)):
            name = f'{split}_{index:05d}'
            scene = self.scene(split, index)
            self._write_scene(root, name, scene)
            tags[name] = [self.CLASSES[label] for label in sorted(set(scene.labels))]
            groups[name] = list(scene.groups)
            names.append(name)
            tally.add(scene)
        listing = root / 'ImageSets' / 'Segmentation' / f'{split}.txt'
        listing.write_text(''.join(f'{name}\n' for name in names))
        return tally.summary()

    def _write_scene(self, root: Path, name: str, scene: ShapesScene) -> None:
        picture = Image.fromarray(scene.image)
        # Full chroma resolution: halving it would smear parts of a few pixels.
        picture.save(root / 'JPEGImages' / f'{name}.jpg', quality=95, subsampling=0)
        mask = Image.fromarray(scene.mask)
        mask.putpalette(np.array(self.PALETTE, np.uint8).ravel().tolist())
        mask.save(root / 'SegmentationClass' / f'{name}.png')
        tree = self._annotation(name, scene)
        ElementTree.indent(tree)
        tree.write(root / 'Annotations' / f'{name}.xml', encoding='unicode')

    def _annotation(self, name: str, scene: ShapesScene) -> ElementTree.ElementTree:
        root = ElementTree.Element('annotation')
        ElementTree.SubElement(root, 'filename').text = f'{name}.jpg'
        extent = ElementTree.SubElement(root, 'size')
        for key, value in zip(('width', 'height', 'depth'), (*scene.mask.shape, 3), strict=True):
            ElementTree.SubElement(extent, key).text = str(value)
        for label, box in zip(scene.labels, scene.boxes(), strict=True):
            item = ElementTree.SubElement(root, 'object')
            ElementTree.SubElement(item, 'name').text = self.CLASSES[label]
            ElementTree.SubElement(item, 'difficult').text = '0'
            frame = ElementTree.SubElement(item, 'bndbox')
            for key, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), box, strict=True):
                # VOC counts pixels from 1.
                ElementTree.SubElement(frame, key).text = str(value + 1)
        return ElementTree.ElementTree(root)


def _surroundings(area: np.ndarray, unit: float) -> np.ndarray:
    """Returns the ring of about 6 (of 96) pixels around an area."""
    width = 2 * max(round(6 * unit), 2) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return (cv2.dilate(area.astype(np.uint8), kernel) > 0) & ~area


def _blend(canvas: np.ndarray, colour: np.ndarray, distance: np.ndarray) -> None:
    """Paints where the signed distance is negative, anti-aliased over one pixel."""
    weight = np.clip(0.5 - distance, 0, 1)[..., None]
    canvas += weight * (colour - canvas)


def _dump(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + '\n')
