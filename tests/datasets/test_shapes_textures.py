from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.datasets import shapes_textures as textures


@pytest.mark.parametrize('family', textures.BACKGROUNDS)
def test_backgrounds_are_finite_colours(family):
    image = textures.background(np.random.default_rng(0), family, 33)
    assert image.shape == (33, 33, 3)
    assert np.isfinite(image).all()
    assert image.std() > 0
    assert image.min() > -20
    assert image.max() < 276


def test_water_is_bluer_than_all_others():
    def blueness(family: str, seed: int) -> float:
        colour = textures.background(np.random.default_rng(seed), family, 32).mean(axis=(0, 1))
        return float(colour[2] - colour[0])

    assert min(blueness('water', seed) for seed in range(20)) > 60


@pytest.mark.parametrize('body', textures.BODIES)
def test_silhouettes_fit_their_diameter(body):
    x, y = textures.pixel_grid(100)
    inside = textures.silhouette(body, 60)(x - 50, y - 50) < 0
    assert inside[50, 50]
    points = np.argwhere(inside)
    extent = np.linalg.norm(points[:, None] - points[None], axis=-1).max()
    assert 50 <= extent <= 62


def test_unknown_names():
    with pytest.raises(ValueError, match='family: expected one of'):
        textures.background(np.random.default_rng(0), 'sand', 32)
    with pytest.raises(ValueError, match='body: expected one of'):
        textures.silhouette('star', 10)


def test_every_class_has_its_own_part_and_half_a_body():
    x, y = textures.pixel_grid(24)
    parts = [textures.part_colours(n, (x - 12, y - 12), 24).tobytes() for n in textures.CLASSES]
    assert len(set(parts)) == len(textures.CLASSES) == 6
    bodies = [body for body, _, _ in textures.CLASSES.values()]
    assert sorted(bodies.count(body) for body in textures.BODIES) == [2, 2, 2]
