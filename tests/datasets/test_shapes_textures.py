from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.datasets import shapes_textures as textures


@pytest.fixture(scope='module')
def backgrounds():
    """Five images (33, 33, 3) of each family."""
    return {
        family: [textures.background(np.random.default_rng(seed), family, 33) for seed in range(5)]
        for family in textures.BACKGROUNDS
    }


def _weights(image):
    """Where each pixel lies between the two colours, 0 to 1."""
    pixels = image.reshape(-1, 3) - image.reshape(-1, 3).mean(axis=0)
    _, sizes, directions = np.linalg.svd(pixels, full_matrices=False)
    assert sizes[1] < 1e-4 * sizes[0]
    weights = (pixels @ directions[0]).reshape(image.shape[:2])
    return (weights - weights.min()) / np.ptp(weights)


def test_land_lies_between_two_similar_dull_colours(backgrounds):
    for family in set(textures.BACKGROUNDS) - {'water'}:
        for image in backgrounds[family]:
            assert image.shape == (33, 33, 3)
            _weights(image)
            spread = np.ptp(image, axis=(0, 1))
            assert (spread <= 45).all()
            assert spread.max() > 5
            assert 0 <= image.min() < image.max() <= 255


def test_water_is_one_colour_in_waves_of_light(backgrounds):
    for image in backgrounds['water']:
        sizes = np.linalg.svd(image.reshape(-1, 3), compute_uv=False)
        assert sizes[1] < 1e-4 * sizes[0]
        shade = image[..., 2] / image[..., 2].mean()
        assert 0.7 < shade.min() < 0.9
        assert 1.1 < shade.max() < 1.3


def _plane_share(weights):
    """Share of the variance that a plane explains."""
    rows, columns = np.mgrid[:33, :33]
    basis = np.stack((rows, columns, np.ones_like(rows)), axis=-1).reshape(-1, 3)
    residual = np.linalg.lstsq(basis, weights.ravel(), rcond=None)[1][0]
    return 1 - residual / (weights.size * weights.var())


def _strongest(weights):
    """Periods of the strongest wave and its share of the energy."""
    energy = np.abs(np.fft.fft2(weights - weights.mean())) ** 2
    rows, columns = np.meshgrid(*(np.fft.fftfreq(33) * 33,) * 2, indexing='ij')
    place = energy.argmax()
    return np.hypot(rows, columns).ravel()[place], 2 * energy.max() / energy.sum()


def test_every_family_of_land_has_its_own_pattern(backgrounds):
    fields = {name: [_weights(one) for one in backgrounds[name]] for name in textures.BACKGROUNDS}
    assert min(_plane_share(one) for one in fields['gradient']) > 0.5
    for family in ('noise', 'stripes', 'blobs'):
        assert max(_plane_share(one) for one in fields[family]) < 0.2
    for periods, share in map(_strongest, fields['stripes']):
        assert 3.5 < periods < 9.5
        assert share > 0.25
    assert max(_strongest(one)[1] for one in fields['noise']) < 0.25
    # Blobs are of one colour or the other.
    extreme = {
        family: np.mean([(np.abs(one - 0.5) > 0.45).mean() for one in fields[family]])
        for family in ('blobs', 'noise')
    }
    assert extreme['blobs'] > 0.5 > 0.1 > extreme['noise']


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
    angles = np.linspace(0, np.pi, 180, endpoint=False)
    extent = np.ptp(np.argwhere(inside) @ [np.sin(angles), np.cos(angles)], axis=0).max()
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
