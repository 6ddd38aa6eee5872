"""Procedural textures and silhouettes of the shapes data set."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from wsss_plugin.errors import ConfigError

BACKGROUNDS = ('noise', 'stripes', 'blobs', 'gradient', 'water')
BODIES = ('disc', 'box', 'triangle')
# Dull on purpose: the only saturated colours of a scene are those of the parts.
BODY_COLOURS = {'disc': (160, 122, 92), 'box': (98, 112, 156), 'triangle': (104, 140, 88)}
# Body, part colour and part pattern of every class; classes 2i and 2i + 1 share a body.
CLASSES = {
    'disc_red': ('disc', ((230, 20, 30), (255, 255, 255)), 'rings'),
    'disc_cyan': ('disc', ((0, 220, 235), (10, 10, 10)), 'stripes'),
    'box_yellow': ('box', ((250, 230, 0), (20, 20, 20)), 'checks'),
    'box_magenta': ('box', ((235, 0, 220), (255, 255, 255)), 'cross'),
    'triangle_violet': ('triangle', ((110, 0, 250), (240, 240, 240)), 'halves'),
    'triangle_orange': ('triangle', ((255, 130, 0), (0, 30, 160)), 'dots'),
}
Grid = tuple[np.ndarray, np.ndarray]


def pixel_grid(size: int) -> Grid:
    """Returns float32 (x, y) coordinates of pixel centres, each (size, size)."""
    axis = np.arange(size, dtype=np.float32) + 0.5
    x, y = np.meshgrid(axis, axis)
    return x, y


def value_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Returns smooth noise in about [-1, 1], float32 (size, size), of ``cells`` periods."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def dull_colour(rng: np.random.Generator) -> np.ndarray:
    """Returns a random RGB colour (0 to 255) of low saturation."""
    rgb = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.08, 0.4), rng.uniform(0.35, 0.85))
    return np.array(rgb, dtype=np.float32) * 255


def background(rng: np.random.Generator, family: str, size: int) -> np.ndarray:
    """Draws a background.

    Args:
        rng (np.random.Generator): Source of every random choice.
        family (str): One of :data:`BACKGROUNDS`.
        size (int): Height and width in pixels.

    Returns:
        np.ndarray: float32 (size, size, 3), RGB, about 0 to 255.
    """
    x, y = (axis / size for axis in pixel_grid(size))
    if family == 'water':
        return _water(rng, x, y, size)
    first = dull_colour(rng)
    second = np.clip(first + rng.uniform(-45, 45, 3), 0, 255).astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    if family == 'noise':
        field = 0.7 * value_noise(rng, size, 5) + 0.3 * value_noise(rng, size, 16)
    elif family == 'stripes':
        field = np.sin(2 * np.pi * (rng.uniform(4, 9) * along + rng.uniform()))
    elif family == 'blobs':
        field = np.tanh(6 * value_noise(rng, size, 7))
    elif family == 'gradient':
        field = 2 * along / max(np.abs(along).max(), 1e-3) - 1 + 0.2 * value_noise(rng, size, 20)
    else:
        raise ConfigError(f'family: expected one of {BACKGROUNDS}, received {family!r}')
    weight = np.clip(0.5 + 0.5 * field, 0, 1)[..., None].astype(np.float32)
    return first * (1 - weight) + second * weight


def _water(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    bend = 0.05 * value_noise(rng, size, 4)
    waves = np.sin(2 * np.pi * (rng.uniform(8, 12) * (y + bend) + 0.6 * np.sin(9 * x)))
    rgb = colorsys.hsv_to_rgb(rng.uniform(0.5, 0.55), rng.uniform(0.5, 0.65), rng.uniform(0.5, 0.7))
    shade = (1 + 0.16 * waves + 0.06 * value_noise(rng, size, 12))[..., None]
    return np.array(rgb, dtype=np.float32) * 255 * shade.astype(np.float32)


def rotate(grid: Grid, centre: tuple[float, float], angle: float) -> Grid:
    """Returns the grid's coordinates relative to ``centre`` in axes turned by ``angle``."""
    x, y = grid[0] - centre[0], grid[1] - centre[1]
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def silhouette(body: str, diameter: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Returns the signed distance (negative inside, pixels) to a body centred at 0."""

    def disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.hypot(x, y) - diameter / 2

    def box(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        corner = 0.12 * diameter
        across = np.abs(x) - 0.44 * diameter + corner
        down = np.abs(y) - 0.34 * diameter + corner
        outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
        return outside + np.minimum(np.maximum(across, down), 0) - corner

    def triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        sides = [
            x * np.cos(turn) + y * np.sin(turn) for turn in np.pi / 2 + np.arange(3) * 2 * np.pi / 3
        ]
        return np.maximum.reduce(sides) - diameter / (2 * np.sqrt(3))

    shapes = {'disc': disc, 'box': box, 'triangle': triangle}
    if body not in shapes:
        raise ConfigError(f'body: expected one of {BODIES}, received {body!r}')
    return shapes[body]


def body_texture(rng: np.random.Generator, body: str, grid: Grid, unit: float) -> np.ndarray:
    """Returns the zero-mean relief of a body (grey levels), float32 of the grid's shape."""
    x, y = grid[0] / unit, grid[1] / unit
    if body == 'disc':
        relief = 1.4 * value_noise(rng, x.shape[0], 24)
    elif body == 'box':
        relief = np.sin(2 * np.pi * x / 5.0)
    else:
        relief = np.sign(np.sin(2 * np.pi * x / 9.0) * np.sin(2 * np.pi * y / 9.0))
    return (13.0 * relief).astype(np.float32)


def part_colours(name: str, grid: Grid, diameter: float) -> np.ndarray:
    """Returns the colours of a class's part, float32 (H, W, 3), RGB; ``grid`` is centred on it."""
    _, (first, second), pattern = CLASSES[name]
    x, y = grid[0] / diameter, grid[1] / diameter
    light = {
        'rings': np.abs(np.hypot(x, y) - 0.22) < 0.07,
        'stripes': np.abs(x) < 0.11,
        'checks': (x * y > 0) & (np.hypot(x, y) < 0.4),
        'cross': (np.abs(x) < 0.09) | (np.abs(y) < 0.09),
        'halves': x > 0.15,
        'dots': np.hypot(x, y) < 0.2,
    }[pattern]
    return np.where(light[..., None], second, first).astype(np.float32)
