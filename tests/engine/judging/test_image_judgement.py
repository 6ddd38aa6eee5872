"""Signals of an image, by hand."""

import numpy as np
import pytest

from wsss_plugin.engine.judging import ImageMaps, judge_image


def _judge(label, free, restricted, mirrored, labels=None, tags=(1, 0)):
    maps = ImageMaps(
        None if free is None else label(free),
        label(restricted),
        label(mirrored),
        None if labels is None else label(labels),
    )
    tags = None if tags is None else np.array(tags)
    return judge_image('a', maps, tags, num_classes=3, min_share=0.2)


def test_all_signals(label):
    found = _judge(label, '0112 0000', '0111 0000', '0110 0000', '01.. 0..0')
    assert found.shown.tolist() == [True, False]  # one pixel of eight is too little
    assert found.tag_f1 == 100
    # Background 5 of 6, class 1 whole, class 2 missed.
    assert found.flip_agreement == pytest.approx(100 * (5 / 6 + 1 + 0) / 3)
    assert found.source_agreement == 100
    assert found.undecided == 0.5
    assert found.foreground == 0.375
    assert not found.all_background
    assert found.doubt == pytest.approx(1 - (1 + (5 / 6 + 1) / 3 + 1) / 3)


def test_all_background_of_a_tagged_image_is_most_doubtful(label):
    found = _judge(label, '00 00', '00 00', '00 00')
    assert found.all_background
    assert found.tag_f1 == 0
    assert found.flip_agreement == 100
    assert found.doubt == pytest.approx(2 / 3)
    nothing = _judge(label, '00 00', '00 00', '00 00', tags=(0, 0))
    assert not nothing.all_background
    assert nothing.doubt == 0


def test_a_class_that_fills_the_image(label):
    found = _judge(label, '22 22', '11 11', '22 22')
    assert found.full_class == 0
    assert found.tag_f1 == 0
    assert found.doubt == pytest.approx(2 / 3)


def test_nothing_known_but_mirror_images(label):
    found = _judge(label, None, '01 01', '11 01', tags=None)
    assert found.tag_f1 is None
    assert found.source_agreement is None
    assert found.flip_agreement == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert not found.all_background


def test_labels_without_a_decision(label):
    found = _judge(label, '01 01', '01 01', '01 01', '.. ..')
    assert found.undecided == 1
    assert found.source_agreement is None
    assert found.doubt == 0
