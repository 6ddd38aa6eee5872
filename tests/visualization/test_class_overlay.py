import numpy as np
import pytest

from wsss_plugin.visualization import class_overlay

_PALETTE = [[0, 0, 0], [200, 0, 0], [0, 0, 200]]


def test_background_stays_and_classes_are_mixed():
    image = np.full((300, 200, 3), 100, dtype=np.uint8)
    label = np.zeros((300, 200), dtype=np.uint8)
    label[250:, :50] = 2
    kept = image.copy()
    picture = class_overlay(image, label, ['none', 'cat', 'dog'], _PALETTE, opacity=0.5)
    assert (image == kept).all()
    assert (picture[:300][label == 0] == 100).all()
    assert (picture[:300][label == 2] == [50, 50, 150]).all()
    strip = picture[300:]
    assert strip.shape[1] == 200
    shown = {tuple(colour) for colour in strip.reshape(-1, 3)}
    assert (0, 0, 200) in shown
    assert (200, 0, 0) not in shown


def test_names_are_drawn_literally_and_below_each_other_where_there_is_no_room():
    image = np.zeros((20, 60, 3), dtype=np.uint8)
    label = np.zeros((20, 60), dtype=np.uint8)
    label[0, 0], label[0, 1] = 1, 2
    picture = class_overlay(image, label, ['none', '$x_', '_hidden $'], _PALETTE)
    assert picture.shape[1] == 160
    assert picture.shape[0] >= 20 + 2 * 24
    one = class_overlay(image, np.minimum(label, 1), ['none', '$x_', 'b'], _PALETTE)
    assert one.shape[0] < picture.shape[0]


def test_letters_grow_with_the_image():
    label = np.ones((10, 4000), dtype=np.uint8)
    image = np.zeros((10, 4000, 3), dtype=np.uint8)
    assert class_overlay(image, label, ['none', 'cat'], _PALETTE).shape == (10 + 4 * 28, 4000, 3)


def test_sizes_and_classes_are_checked():
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match='at the size of the image'):
        class_overlay(image, np.zeros((4, 5), int), ['none'], _PALETTE)
    with pytest.raises(ValueError, match=r'expected labels below 2.*received 2'):
        class_overlay(image, np.full((4, 4), 2), ['none', 'cat'], _PALETTE)
