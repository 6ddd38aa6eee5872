from __future__ import annotations

import numpy as np

from wsss_plugin.datasets.shapes_scene import ShapesScene


def test_ratios_and_boxes():
    instances = np.zeros((6, 8), np.uint8)
    instances[1:3, 2:6] = 1
    instances[4:6, 0:2] = 2
    parts = np.zeros((6, 8), bool)
    parts[1, 2:4] = True
    image = np.zeros((6, 8, 3), np.uint8)
    scene = ShapesScene(image, instances, instances, parts, (0, 1), ('plain',), 'noise')
    assert scene.part_ratios() == [0.25, 0.0]
    assert scene.boxes() == [(2, 1, 5, 2), (0, 4, 1, 5)]
