"""Panels: what is drawn where, with what colour, for any size; errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from wsss_plugin.visualization import panel as panel_module
from wsss_plugin.visualization.drawn_text import draw_literally
from wsss_plugin.visualization.panel import (
    CAMPicture,
    default_palette,
    draw_panel,
    overlay_heat,
    overlay_label,
    panel_from_sample,
    panel_of_models,
)

CLASSES = ('background', 'cat', 'dog')
PALETTE = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


def grey(height=40, width=60):
    return np.full((height, width, 3), 100, np.uint8)


def test_overlay_label_blends_the_colour_of_the_class():
    label = np.array([[0, 1], [2, 255]], np.uint8)
    picture = overlay_label(grey(2, 2), label, PALETTE, opacity=0.5)
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[100] * 3, [178, 50, 50]], [[50, 50, 178], [162] * 3]]


def test_heat_has_the_colour_of_its_class_and_none_without_a_score():
    score, label = np.array([[0.0, 1.0, 0.5, 1.0]]), np.array([[1, 1, 2, 0]])
    picture = overlay_heat(grey(1, 4), score, label, PALETTE, opacity=1)
    assert picture.tolist() == [[[100] * 3, [255, 0, 0], [50, 50, 178], [128, 0, 0]]]


def test_heat_of_three_classes_is_not_merged():
    palette = default_palette(4)
    label = np.array([[1, 2, 3]])
    picture = overlay_heat(grey(1, 3), np.ones((1, 3)), label, palette)[0].astype(int)
    apart = [np.abs(picture[one] - picture[other]).sum() for one, other in ((0, 1), (0, 2), (1, 2))]
    assert min(apart) > 300


def _sample(height, width, fields=('cam', 'aux_cam', 'cnn_cam')):
    sample = SegDataSample()
    label = torch.zeros(1, height, width, dtype=torch.long)
    label[..., : width // 2] = 1
    sample.pred_sem_seg = PixelData(data=label)
    sample.gt_sem_seg = PixelData(data=label.flip(-1))
    for field in fields:
        score = torch.linspace(0, 1, width).expand(1, height, width)
        sample.set_data({field: PixelData(score=score, label=(label + 1).to(torch.uint8))})
    return sample


def test_columns_follow_the_fields():
    full = panel_from_sample(grey(), _sample(40, 60), CLASSES, PALETTE, title='a')
    few = panel_from_sample(grey(), _sample(40, 60, fields=('cam',)), CLASSES, PALETTE)
    bare = panel_from_sample(grey(), SegDataSample(), CLASSES, PALETTE)
    assert [picture.shape[1] for picture in (full, few, bare)] == [1440, 960, 240]
    assert full.shape[0] == few.shape[0]
    assert full.dtype == np.uint8
    assert full.min() < 50


def test_prediction_is_in_the_last_column_in_its_colour():
    panel = panel_from_sample(grey(), _sample(40, 60, fields=()), CLASSES, PALETTE)
    middle = panel[panel.shape[0] // 2]
    left, right = middle[540], middle[660]
    assert left[0] > 150 > left[2]
    assert abs(int(right[0]) - int(right[2])) < 5
    truth = middle[420]
    assert truth[0] > 150 > truth[2]


def test_models_stand_side_by_side():
    samples = {'a': _sample(40, 60), 'b': _sample(40, 60, fields=())}
    samples['b'].pred_sem_seg = PixelData(data=torch.ones(1, 40, 60, dtype=torch.long))
    panel = panel_of_models(grey(), samples, CLASSES, PALETTE)
    # image, ground truth, CAM of a, segmentation of a and of b
    assert panel.shape[1] == 5 * 240
    middle = panel[panel.shape[0] // 2].astype(int)
    a, b = middle[3 * 240 + 180], middle[4 * 240 + 180]
    assert abs(a[0] - a[2]) < 5
    assert b[0] > 150 > b[2]
    with pytest.raises(ValueError, match='one model or more'):
        panel_of_models(grey(), {}, CLASSES)


def test_pseudo_labels_come_before_the_segmentation():
    sample = _sample(40, 60, fields=())
    sample.pseudo_label = PixelData(data=torch.full((1, 40, 60), 255))
    panel = panel_from_sample(grey(), sample, CLASSES, PALETTE)
    # image, ground truth, pseudo label, segmentation
    assert panel.shape[1] == 4 * 240
    ignored = panel[panel.shape[0] // 2, 2 * 240 + 120]
    assert ignored.min() > 150
    both = panel_of_models(grey(), {'a': sample, 'b': sample}, CLASSES, PALETTE)
    assert both.shape[1] == 6 * 240


def test_the_image_itself_can_be_left_out():
    shown = panel_from_sample(grey(), _sample(40, 60), CLASSES, PALETTE)
    hidden = panel_from_sample(grey(), _sample(40, 60), CLASSES, PALETTE, show_image=False)
    assert hidden.shape[1] == shown.shape[1] - 240


def test_outline_follows_the_threshold():
    cam = CAMPicture(np.tile(np.linspace(0, 1, 60), (40, 1)), np.ones((40, 60), np.uint8))
    low, high = (
        draw_panel(grey(), CLASSES, PALETTE, cams={'CAM': cam}, cam_threshold=value)
        for value in (0.3, 0.7)
    )
    changed = np.abs(low.astype(int) - high).sum(-1)[60:140, 240:].any(axis=0).nonzero()[0]
    assert abs(changed.min() - 0.3 * 240) < 12
    assert abs(changed.max() - 0.7 * 240) < 12


@pytest.mark.parametrize('shape', [(1, 1), (3, 200), (200, 3), (7, 5)])
def test_odd_sizes_and_constant_cams(shape):
    panels = []
    for value in (0.0, 1.0):
        cam = CAMPicture(np.full(shape, value, np.float32), np.ones(shape, np.uint8))
        panels.append(draw_panel(grey(*shape), CLASSES, cams={'CAM': cam}))
    cold, hot = panels
    assert cold.shape[1] == 480
    # Without a score the image is as it was; blue is the colour of the first class.
    difference = hot[:, 240:].astype(int) - cold[:, 240:]
    assert difference[..., 2].max() > 50
    assert difference[..., 0].min() < -50


def test_default_palette_has_enough_colours():
    palette = default_palette(81)
    assert len(palette) == 81
    assert palette[0] == [0, 0, 0]
    assert len({tuple(colour) for colour in palette}) == 81


def test_threshold_and_scores_are_in_the_titles(monkeypatch):
    titles = []

    def draw(text, name, limit):
        titles.append(name)
        draw_literally(text, name, limit)

    monkeypatch.setattr(panel_module, 'draw_literally', draw)
    sample = _sample(40, 60, fields=('cam', 'aux_cam'))
    scores = {'cam': 41.26, 'pred_sem_seg': 55.0}
    panel_from_sample(grey(), sample, CLASSES, PALETTE, 0.25, 'a', scores=scores)
    assert titles == [
        'a',
        'ground truth',
        'CAM > 0.25, mIoU 41.3',
        'auxiliary CAM > 0.25',
        'segmentation, mIoU 55.0',
    ]
    titles.clear()
    panel_of_models(grey(), {'b': sample}, CLASSES, PALETTE, 0.25, scores={'b': scores})
    assert titles[2:] == ['CAM: b > 0.25, mIoU 41.3', 'segmentation: b, mIoU 55.0']


def test_errors():
    with pytest.raises(ValueError, match='label map at the size'):
        draw_panel(grey(), CLASSES, PALETTE, predictions={'a': np.zeros((3, 3), int)})
    with pytest.raises(ValueError, match='CAM at the size'):
        overlay_heat(grey(), np.zeros((3, 3)), np.zeros((3, 3), int), PALETTE)
    with pytest.raises(ValueError, match='below 3'):
        draw_panel(grey(), CLASSES, PALETTE, predictions={'a': np.full((40, 60), 3)})


NAMES = ('price $5 or $_10', 'ba$$in', 'x$_$y', '_cat', 'US$$ note', r'\frac{', 'a_b^c', 'x' * 9999)
NAMES += ('caf\u00e9 \u732b 1',)


@pytest.mark.parametrize('name', NAMES)
def test_names_are_drawn_as_they_are(name):
    label = np.ones((40, 60), np.uint8)
    cam = {name: CAMPicture(label.astype(np.float32), label)}
    draw_panel(grey(), ('background', name), cams=cam, ground_truth=label, title=name)


@pytest.mark.parametrize('name', ['_cat', '$x$'])
def test_no_class_is_left_out_of_the_legend(name):
    def legend(classes):
        panel = draw_panel(grey(), classes, ground_truth=np.ones((40, 60), np.uint8))
        return panel[-34:].min(axis=-1) < 100

    assert legend(('background', name)).sum() > 20
    # A formula would be drawn without its signs.
    if name.startswith('$'):
        assert legend(('background', name)).sum() > 1.3 * legend(('background', 'x')).sum()
