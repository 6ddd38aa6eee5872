"""Colours that are apart, however many there are."""

import cv2
import numpy as np

from wsss_plugin.distinct_palette import distinct_palette


def _distances(colours):
    lab = cv2.cvtColor(np.float32([colours]) / 255, cv2.COLOR_RGB2LAB)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return distances[~np.eye(len(lab), dtype=bool)]


def test_twenty_colours_are_apart_from_each_other_and_from_grey():
    colours = distinct_palette(20)
    # 2.3 is what is just noticed.
    assert _distances([*colours, [0, 0, 0], [255, 255, 255], [128, 128, 128]]).min() > 28


def test_a_thousand_colours_differ_and_begin_as_a_few_do():
    colours = distinct_palette(1000)
    assert len(set(map(tuple, colours))) == 1000
    assert colours[:5] == distinct_palette(5)


def test_more_than_there_are_repeat():
    colours = distinct_palette(1255)
    assert colours[1254] == colours[0]
    assert distinct_palette(0) == []
