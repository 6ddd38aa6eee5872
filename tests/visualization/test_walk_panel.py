import numpy as np
import pytest

from wsss_plugin.visualization import walk_panel

_IMAGE = np.full((20, 24, 3), 90, np.uint8)
_CLASSES = ('background', 'cat')


def _scores(cat):
    return np.stack([np.full((20, 24), 0.5), np.full((20, 24), cat)])


def test_more_steps_are_more_columns():
    arguments = (_IMAGE, _CLASSES, (3, 4), {'reach': np.zeros((20, 24))})
    one = walk_panel(*arguments, {'0 steps': _scores(0.9)})
    two = walk_panel(*arguments, {'0 steps': _scores(0.9), '4 steps': _scores(0.1)})
    assert one.dtype == np.uint8
    assert two.shape[1] > one.shape[1]


def test_the_label_is_that_of_the_last_steps():
    reach = {'reach': np.ones((20, 24))}
    cat, background = (
        walk_panel(_IMAGE, _CLASSES, (3, 4), reach, {'0 steps': _scores(value)})
        for value in (0.9, 0.1)
    )
    assert (cat != background).any()


def test_the_image_is_not_changed():
    image = _IMAGE.copy()
    walk_panel(image, _CLASSES, (0, 0), {}, {'0 steps': _scores(0.9)})
    assert (image == _IMAGE).all()


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match='expected scores'):
        walk_panel(_IMAGE, _CLASSES, (0, 0), {}, {})
