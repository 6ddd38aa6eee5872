"""The text of the evaluator's results; WSSSMetric's tests see it in the log."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wsss_plugin.evaluation import report
from wsss_plugin.evaluation.class_rates import class_rates


def _rates(*counts):
    return class_rates(np.array(counts))


# Rows of counts: true positives, predicted, true, for background, cat and an absent class.
RATES = _rates([6, 2, 0], [8, 2, 0], [6, 4, 0])
CLASSES = ('background', 'cat', 'dog')


def _cells(table):
    lines = [line for line in table.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_rates_of_every_class_and_their_mean():
    head, *rows = _cells(report.class_table({'segmentation': RATES, 'clip_cam': RATES}, CLASSES))
    assert head[:3] == ['Class', 'IoU seg', 'IoU clip CAM']
    assert [row[0] for row in rows] == [*CLASSES, 'mean']
    iou = [row[1] for row in rows]
    # 6 / 8 and 2 / 4; a class that is neither predicted nor present does not count.
    assert iou == ['75.00', '50.00', '-', '62.50']
    assert [row[head.index('OA seg')] for row in rows] == ['25.00', '0.00', '-', '0.00']
    assert [row[head.index('FN seg')] for row in rows] == ['0.00', '50.00', '-', '50.00']


def test_a_group_without_a_cam_has_a_dash():
    groups = {'twins': (3, {'segmentation': RATES, 'cam': RATES}), 'rest': (1, {'cam': RATES})}
    head, *rows = _cells(report.group_table(groups))
    assert [row[:2] for row in rows] == [['twins', '3'], ['rest', '1']]
    assert rows[0][head.index('mIoU seg')] == '62.50'
    assert rows[1][head.index('mIoU seg')] == '-'
    assert rows[1][head.index('mIoU CAM')] == '62.50'


def test_the_best_threshold_is_said_to_be_picked():
    text = report.sweep_table({'cam': {0.3: 40.0, 0.4: 42.0}, 'aux_cam': {0.3: 9.0, 0.4: math.nan}})
    head, *rows = _cells(text)
    assert head == ['Threshold', 'mIoU CAM', 'mIoU aux CAM']
    assert rows == [['0.3', '40.00', '9.00'], ['0.4', '42.00', '-']]
    assert f'best CAM mIoU 42.00 at 0.4, {report.PICKED}' in text
    assert f'best aux CAM mIoU 9.00 at 0.3, {report.PICKED}' in text


@pytest.mark.parametrize(
    ('sizes', 'text'),
    [
        ([], 'unknown'),
        ([(2, 3)] * 5, '2x3'),
        ([(2, 3), (1, 9), (2, 3)], '1x9, 2x3'),
        ([(1, 9), (2, 8), (3, 7), (4, 6)], '4 sizes, heights 1 to 4, widths 6 to 9'),
    ],
)
def test_sizes_in_few_words(sizes, text):
    assert report.size_range(sizes) == text


def test_protocol_is_one_line():
    line = report.protocol_line({'split': 'val', 'images': 2, 'flip': 'no'})
    assert line == 'protocol: split: val | images: 2 | flip: no'
