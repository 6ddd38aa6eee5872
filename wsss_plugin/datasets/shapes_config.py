"""Parameters of the generated shapes data set."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from wsss_plugin.errors import ConfigError, ConfigTypeError


@dataclass(frozen=True)
class ShapesConfig:
    """States every number the shapes data set depends on.

    Lengths are given for an image of 96 pixels and grow with ``size``.

    Args:
        train (int): Images of the training split.
        val (int): Images of the validation split.
        size (int): Height and width of every image in pixels, at least 32.
        seed (int): Seed of the whole set, not negative.
        max_objects (int): Largest number of objects in an image, 1 to 3.
        min_diameter (float): Smallest object diameter in pixels of 96.
        max_diameter (float): Largest object diameter in pixels of 96.
        min_part (float): Smallest diameter of a small part in pixels of 96.
        max_part (float): Largest diameter of a small part in pixels of 96.
        partial_rate (float): Share of images whose class-specific parts are small.
        small_part_ratio (float): Part area over object area that every part of such an image
            stays below.
        large_part_ratio (float): The same ratio that every part of any other image reaches.
        cooccurrence_rate (float): Share of the first class's images on the water background.
        stray_water_rate (float): Share of all other images on the water background.
        camouflage_rate (float): Share of images whose bodies take the background's colour.
        camouflage_distance (float): RGB distance (0 to 441) between the mean colours of a body
            and of the background around it that camouflaged bodies stay below.
        separation_distance (float): The same distance that all other bodies reach.

    Raises:
        ConfigTypeError: A count is not an integer or a number is not a number.
        ConfigError: A value is out of its range.

    Example:
        >>> ShapesConfig(train=4, val=2).size
        96
    """

    train: int = 800
    val: int = 200
    size: int = 96
    seed: int = 0
    max_objects: int = 3
    min_diameter: float = 25.0
    max_diameter: float = 50.0
    min_part: float = 6.0
    max_part: float = 10.0
    partial_rate: float = 0.6
    small_part_ratio: float = 0.12
    large_part_ratio: float = 0.2
    cooccurrence_rate: float = 0.9
    stray_water_rate: float = 0.02
    camouflage_rate: float = 0.25
    camouflage_distance: float = 20.0
    separation_distance: float = 40.0

    def __post_init__(self) -> None:
        for name in ('train', 'val', 'size', 'seed', 'max_objects'):
            self._require_int(name)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigTypeError(f'{item.name}: expected a number, received {value!r}')
        self._require_range('train', 0, None)
        self._require_range('val', 0, None)
        self._require_range('size', 32, None)
        self._require_range('seed', 0, None)
        self._require_range('max_objects', 1, 3)
        for name in ('partial_rate', 'cooccurrence_rate', 'stray_water_rate', 'camouflage_rate'):
            self._require_range(name, 0, 1)
        self._require_order('min_diameter', 'max_diameter', 12, 60)
        self._require_order('min_part', 'max_part', 3, 12)
        self._require_order('small_part_ratio', 'large_part_ratio', 0.05, 0.3)
        self._require_order('camouflage_distance', 'separation_distance', 5, 80)

    def _require_int(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigTypeError(f'{name}: expected an integer, received {value!r}')

    def _require_range(self, name: str, low: float, high: float | None) -> None:
        value = getattr(self, name)
        if value < low or (high is not None and value > high):
            bounds = f'at least {low}' if high is None else f'a value from {low} to {high}'
            raise ConfigError(f'{name}: expected {bounds}, received {value!r}')

    def _require_order(self, smaller: str, larger: str, low: float, high: float) -> None:
        first, second = getattr(self, smaller), getattr(self, larger)
        if not low <= first <= second <= high:
            raise ConfigError(
                f'{smaller}, {larger}: expected {low} <= {smaller} <= {larger} <= {high}, '
                f'received {first!r} and {second!r}'
            )

    @property
    def unit(self) -> float:
        """float: Pixels of this image per pixel of an image of 96."""
        return self.size / 96.0

    def as_dict(self) -> dict[str, Any]:
        """Returns the parameters as plain values, as stored beside a generated set."""
        return asdict(self)
