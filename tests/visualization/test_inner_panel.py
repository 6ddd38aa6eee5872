"""What parts of a model see: classes as CAMs, clusters in colours of their own, label maps."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.visualization import default_palette, inner_panel
from wsss_plugin.visualization.inner_panel import tagged_picture

CLASSES = ('background', 'cat', 'dog')
GREY = np.full((40, 60, 3), 100, np.uint8)
TAGS = np.array([1.0, 0.0])


def test_classes_without_a_tag_are_not_drawn():
    maps = np.stack((np.linspace(3, 5, 6).reshape(2, 3), np.full((2, 3), 99.0)))
    picture = tagged_picture(maps, TAGS)
    np.testing.assert_allclose(picture.score, np.linspace(0, 1, 6).reshape(2, 3))
    assert (picture.label == 1).all()


def test_constant_maps_are_low_everywhere():
    assert (tagged_picture(np.ones((2, 2, 3)), TAGS).score == 0).all()


def test_clusters_have_colours_of_their_own():
    clusters = np.zeros((5, 40, 60))
    clusters[1, :, :30] = clusters[4, :, 30:] = 1
    labels = dict(before=np.ones((40, 60), int), after=np.full((40, 60), 255))
    panel = inner_panel(
        GREY, dict(maps=np.random.rand(2, 40, 60), parts=clusters), labels, TAGS, CLASSES
    )
    # image, maps of classes, two label maps, clusters
    assert panel.shape[1] == 5 * 240
    halves = panel[60:150, 965:1075], panel[60:150, 1085:1190]
    seen = [half.reshape(-1, 3).mean(axis=0) for half in halves]
    colours = np.array(default_palette(6))[[2, 5]]
    np.testing.assert_allclose(seen, 0.35 * 100 + 0.65 * colours, atol=4)
    bare = inner_panel(GREY, {}, labels, TAGS, CLASSES, show_image=False)
    assert bare.shape[1] == 2 * 240


def test_sizes_have_to_agree():
    with pytest.raises(ValueError, match=r'size of the image \(40, 60\)'):
        inner_panel(GREY, dict(parts=np.zeros((5, 4, 6))), {}, TAGS, CLASSES)
