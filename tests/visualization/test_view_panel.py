"""Views side by side, names as they are, frames where the box is."""

import numpy as np
import pytest

from wsss_plugin.visualization import view_panel


def _views(number=2, size=20):
    return {f'view{index}': np.full((size, size, 3), 60, np.uint8) for index in range(number)}


def _frame(picture):
    return (np.abs(picture.astype(int) - [255, 217, 0]) < 12).all(axis=-1)


@pytest.mark.parametrize('name', ['x$_$y.jpg', 'ba$$in.jpg', 'a\nb', '_cat', 'x' * 300, r'\frac{'])
def test_any_name_is_drawn(name):
    views = {name: np.zeros((5, 9, 3), np.uint8)}
    picture = view_panel(views, f'{name}: US$$ note')
    assert picture.shape == (240, 190, 3)
    assert (picture[:50] < 100).any()  # letters of the title


def test_a_formula_is_drawn_as_it_is_written():
    def width(title):
        letters = (view_panel(_views(1), title)[:20] < 160).all(axis=-1).any(axis=0)
        return np.flatnonzero(letters).max()

    # Parsed, the signs would vanish.
    assert width('a: $x$') > width('a: x') + 5


def test_the_frame_is_where_the_image_lies():
    picture = view_panel(_views(), 'a', {'view0': (0, 20, 0, 10), 'other': (0, 1, 0, 1)})
    columns = np.flatnonzero(_frame(picture).any(axis=0))
    assert columns.min() < 6
    # Half of the first view.
    assert columns.max() == pytest.approx(190 / 2, abs=4)


def test_refuses_nothing():
    with pytest.raises(ValueError, match='one view or more'):
        view_panel({}, 'a')
