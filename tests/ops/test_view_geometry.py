from __future__ import annotations

import pytest

from wsss_plugin.ops import ViewGeometry

WHOLE = ViewGeometry.of_frame((40, 60), valid=(4, 40, 0, 33))


def test_frame_itself():
    assert WHOLE.box == (0, 40, 0, 60)
    assert WHOLE.scale == (1, 1)
    assert not WHOLE.flip
    assert ViewGeometry.of_frame((3, 4)).valid == (0, 3, 0, 4)


@pytest.mark.parametrize(('flip', 'valid'), [(False, (3, 30, 0, 24)), (True, (3, 30, 21, 45))])
def test_rescaled_view(flip, valid):
    view = WHOLE.part((0, 40, 0, 60), flip=flip, size=(30, 45))
    assert view.box == (0, 40, 0, 60)
    assert view.scale == (0.75, 0.75)
    # 33 columns are 24.75 of the view: only whole pixels count.
    assert view.valid == valid


def test_part_of_a_mirrored_view():
    """Columns 5 to 15 of a mirrored view of 45 columns are its columns 30 to 40 from the left."""
    mirrored = WHOLE.part((0, 40, 0, 60), flip=True, size=(40, 60))
    part = mirrored.part((10, 30, 5, 15), flip=True, size=(40, 20))
    assert part.box == (10, 30, 45, 55)
    assert not part.flip
    assert part.scale == (2, 2)
    assert part.valid == (0, 40, 0, 0)
    assert mirrored.part((10, 30, 5, 15), flip=False, size=(5, 5)).flip


def test_parts_of_parts_are_parts():
    first = WHOLE.part((8, 32, 6, 54), flip=True, size=(48, 96))
    second = first.part((0, 24, 24, 72), flip=False, size=(24, 48))
    direct = WHOLE.part((8, 20, 18, 42), flip=True, size=(24, 48))
    assert second == direct


def test_view_beyond_the_frame():
    view = ViewGeometry((-10.0, 50.0, -5.0, 65.0), False, (40, 60), (30, 35), (0, 30, 0, 35))
    part = view.part((0, 15, 0, 35), flip=False, size=(15, 35))
    assert part.box == (-10, 20, -5, 65)
    assert part.valid == (0, 15, 0, 35)


def test_part_outside_the_image_has_no_valid_pixel():
    part = WHOLE.part((0, 4, 33, 60), flip=False, size=(8, 54))
    assert part.valid[0] == part.valid[1] or part.valid[2] == part.valid[3]


def test_rounding_errors_cost_no_pixel():
    for side in range(7, 60):
        whole = ViewGeometry.of_frame((side, side))
        view = whole.part((0, side, 0, side), flip=True, size=(round(0.7 * side),) * 2)
        assert view.valid == (0, view.size[0], 0, view.size[1])
