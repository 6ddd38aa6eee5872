from __future__ import annotations

import pytest
import torch

from wsss_plugin.ops import pair_offsets
from wsss_plugin.ops.pixel_pairs import map_pairs, shifted


def ends(size, radius, border):
    """First and second pixel of each pair by its number, -1 outside of the image."""
    pixels = torch.arange(size[0] * size[1]).view(size)
    return [
        map_pairs(
            pixels, radius, border, lambda box, offset, end=end: pick(pixels, box, offset, end), -1
        )
        for end in (0, 1)
    ]


def pick(pixels, box, offset, end):
    return shifted(pixels, box, offset if end else (0, 0))


def near_pairs(size, radius):
    """All pairs of pixels of a grid nearer than the radius, the earlier pixel first."""
    place = [divmod(pixel, size[1]) for pixel in range(size[0] * size[1])]
    return {
        (one, two)
        for one, (row, column) in enumerate(place)
        for two, (other_row, other_column) in enumerate(place)
        if one < two and (row - other_row) ** 2 + (column - other_column) ** 2 < radius**2
    }


def test_published_order(reference):
    arrays = reference('psa_affinity_head')
    size = int(arrays['idx_h']), int(arrays['idx_w'])
    first, second = ends(size, 5, 'published')
    assert first.shape == (34, 48)
    assert torch.equal(first, arrays['idx_from'].expand(34, -1))
    assert torch.equal(second.flatten(), arrays['idx_to'])


@pytest.mark.parametrize(('radius', 'count'), [(2, 4), (3, 12), (5, 34), (10, 152)])
def test_number_of_offsets(radius, count):
    assert len(set(pair_offsets(radius))) == len(pair_offsets(radius)) == count


@pytest.mark.parametrize('size', [(7, 9), (2, 9), (9, 2), (1, 3), (3, 1), (1, 2)])
@pytest.mark.parametrize('radius', [2, 5])
def test_complete_border_has_every_pair_once(size, radius):
    first, second = ends(size, radius, 'complete')
    assert first.shape == (len(pair_offsets(radius)), size[0] * size[1])
    inside = first >= 0
    assert torch.equal(inside, second >= 0)
    pairs = list(zip(first[inside].tolist(), second[inside].tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == near_pairs(size, radius)


def test_published_border_lacks_pairs():
    first, second = ends((12, 12), 5, 'published')
    pairs = set(zip(first.flatten().tolist(), second.flatten().tolist(), strict=True))
    assert len(pairs) == 34 * 8 * 4
    assert pairs < near_pairs((12, 12), 5)


@pytest.mark.parametrize('radius', [1, 0, 2.5])
def test_radius_out_of_range(radius):
    with pytest.raises(ValueError, match='at least 2, received'):
        pair_offsets(radius)


@pytest.mark.parametrize(
    ('size', 'border', 'message'),
    [
        ((4, 9), 'published', r'at least 5x9 .* received 4x9; use border=.complete'),
        ((5, 8), 'published', 'received 5x8'),
        ((1, 1), 'complete', 'received 1x1; use a larger image'),
        ((9, 9), 'none', r"expected border among .* received 'none'"),
    ],
)
def test_grid_and_border_are_checked(size, border, message):
    with pytest.raises(ValueError, match=message):
        ends(size, 5, border)


def test_smallest_published_grid():
    assert ends((5, 9), 5, 'published')[0].shape == (34, 1)
