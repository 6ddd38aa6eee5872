"""Boundary IoU: values by hand, discs, image edge, ignored pixels, and a plain definition."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.evaluation.boundary_counts import boundary_counts
from wsss_plugin.evaluation.class_rates import class_rates
from wsss_plugin.evaluation.sparse_counts import sum_counts

ONE_PIXEL = 1e-9  # of the diagonal; the distance is at least one pixel


def rates(*pairs, classes=3, **arguments):
    parts = [boundary_counts(*pair, **arguments) for pair in pairs]
    return class_rates(sum_counts(parts, classes)[0]).iou


def box(size, top, bottom, left, right, value=1):
    label = np.zeros((size, size), np.int64)
    label[top:bottom, left:right] = value
    return label


def disc(size, row, column, radius):
    y, x = np.mgrid[:size, :size]
    return ((y - row) ** 2 + (x - column) ** 2 <= radius**2).astype(np.int64)


def contour_by_definition(mask, width):
    """Pixels of the mask for which a pixel outside, or the edge, is at most ``width`` away."""
    padded = np.pad(mask, width)
    steps = range(-width, width + 1)
    inner = [np.roll(padded, (y, x), (0, 1)) for y in steps for x in steps]
    return mask & ~np.all(inner, axis=0)[width:-width, width:-width]


def test_a_box_moved_by_a_pixel():
    truth, prediction = box(9, 2, 7, 2, 7), box(9, 2, 7, 3, 8)
    # Frames of 16 pixels each; of the columns only the parts along x are shared.
    counts = boundary_counts(prediction, truth, distance=ONE_PIXEL)
    assert counts.counts[0, :, 1].tolist() == [8, 16, 16]
    assert rates((prediction, truth), distance=ONE_PIXEL)[1] == 8 / 24


def test_only_the_inside_of_the_contour_counts():
    truth = box(9, 2, 7, 2, 7)
    larger = box(9, 1, 8, 1, 8)
    # One pixel wide, the frames do not meet; two pixels wide, they share the truth's outermost.
    assert rates((larger, truth), distance=ONE_PIXEL)[1] == 0
    two_pixels = 2 / np.hypot(9, 9)
    assert rates((larger, truth), distance=two_pixels)[1] == 16 / (40 + 24 - 16)


def test_errors_at_the_contour_weigh_more_than_in_iou():
    truth, smaller = disc(101, 50, 50, 30), disc(101, 50, 50, 27)
    boundary = rates((smaller, truth))[1]
    inner = class_rates(sum_counts([boundary_counts(smaller, truth, distance=0.99)], 2)[0]).iou[1]
    iou = (smaller & truth).sum() / (smaller | truth).sum()
    # A distance that reaches the centre is the plain IoU.
    assert inner == iou
    assert boundary < 0.2 < 0.8 < iou


def test_discs_far_apart_have_nothing_in_common():
    truth, prediction = disc(60, 15, 15, 8), disc(60, 45, 45, 8)
    assert rates((prediction, truth))[1] == 0
    assert 0 < rates((prediction, truth))[0] < 1


def test_the_edge_of_the_image_is_contour():
    whole = np.ones((6, 8), np.int64)
    counts = boundary_counts(whole, whole, distance=ONE_PIXEL)
    assert counts.classes.tolist() == [1]
    assert counts.counts[0, :, 0].tolist() == [24, 24, 24]
    # Two rows along the edge lie within a pixel of a contour altogether.
    strip = box(8, 0, 2, 0, 8)
    assert boundary_counts(strip, strip, distance=ONE_PIXEL).counts[0, 2, 1] == 16


def test_ignored_pixels_take_no_part():
    truth = box(12, 3, 9, 3, 9)
    truth[:, 8:] = 255
    # Whatever is predicted where the truth is ignored, and at both of its sides' rims.
    for value in (0, 1, 2):
        prediction = np.where(truth == 255, value, truth)
        result = rates((prediction, truth), distance=ONE_PIXEL)
        assert result[:2].tolist() == [1, 1]
        assert np.isnan(result[2])
    # 6 rows and 5 columns remain of the box.
    assert boundary_counts(prediction, truth, distance=ONE_PIXEL).counts[0, 2, 1] == 18
    unknown = boundary_counts(prediction, np.full_like(truth, 255))
    assert unknown.counts.shape == (1, 3, 0)
    of_another_value = np.where(truth == 255, 9, truth)
    assert rates((prediction, of_another_value), ignore_index=9)[1] == 1


def test_an_absent_class_has_no_rate_and_a_missed_one_none_right():
    truth = box(9, 2, 7, 2, 7)
    result = rates((truth * 2, truth), classes=4)
    assert result.tolist()[:3] == [1, 0, 0]
    assert np.isnan(result[3])


def test_pixels_are_summed_over_the_data_set():
    right, wrong = box(9, 2, 7, 2, 7), box(9, 0, 2, 0, 2)
    # 16 of 16 pixels, and none of 16 and 4.
    assert rates((right, right), (wrong, right), distance=ONE_PIXEL)[1] == 16 / (16 + 16 + 4)


@pytest.mark.parametrize('shape', [(1, 1), (7, 30), (31, 17)])
@pytest.mark.parametrize('distance', [0.02, 0.1, 0.3])
def test_agrees_with_the_definition(shape, distance):
    generator = np.random.default_rng(0)
    # Blocks of 5 pixels, so that some lie inside.
    prediction, truth = (
        np.kron(generator.integers(0, 3, (7, 6)), np.ones((5, 5), np.int64))[: shape[0], : shape[1]]
        for _ in range(2)
    )
    truth[:2, :4] = 255
    counts = boundary_counts(prediction, truth, distance=distance)
    width = max(1, round(distance * np.hypot(*shape)))
    for index, value in enumerate(counts.classes):
        known = truth != 255
        near = [contour_by_definition(known & (m == value), width) for m in (prediction, truth)]
        expected = [(near[0] & near[1]).sum(), near[0].sum(), near[1].sum()]
        assert counts.counts[0, :, index].tolist() == expected


def test_errors():
    label = np.zeros((2, 2), int)
    with pytest.raises(ValueError, match=r'one size, received \(1, 2\) and \(2, 2\)'):
        boundary_counts(label[:1], label)
    for distance in (0, 1, float('nan')):
        with pytest.raises(ValueError, match=r'boundary_distance: expected .*received'):
            boundary_counts(label, label, distance=distance)
