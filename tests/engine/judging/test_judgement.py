"""Signals of images together and by class, and the table of images."""

import csv

import numpy as np
import pytest

from wsss_plugin.engine.judging import ImageMaps, Judgement, judge_image, write_review


def _images(label):
    def judge(name, free, tags, labels=None, mirrored=None):
        restricted = ''.join(c if c in ' 0' or tags[int(c) - 1] else '0' for c in free)
        maps = ImageMaps(
            label(free),
            label(restricted),
            label(mirrored or free),
            None if labels is None else label(labels),
        )
        return judge_image(name, maps, np.array(tags), 3)

    return [
        judge('a', '01 01', (1, 0), '.1 01'),
        judge('b', '02 22', (0, 1), '.. ..'),
        judge('c', '22 22', (1, 1), '11 22', '22 21'),
        judge('d', '00 00', (1, 0), '00 00'),
    ]


def test_by_hand(label):
    found = Judgement(_images(label), ('cat', 'dog'))
    cat, dog = found.by_class()
    assert (cat['images'], cat['tag_precision'], cat['tag_recall']) == (3, 100, 33.33)
    assert cat['tag_f1'] == 50
    assert (dog['images'], dog['tag_precision'], dog['tag_recall']) == (2, 100, 100)
    assert cat['all_background'] == 33.33
    assert (cat['full_frame'], dog['full_frame']) == (0, 50)
    assert cat['undecided'] == pytest.approx(100 * (1 / 4) / 3, abs=0.01)
    assert dog['flip_iou'] == pytest.approx(100 * 6 / 7, abs=0.01)
    signals = found.signals()
    assert signals['tag_recall'] == pytest.approx((33.33 + 100) / 2, abs=0.01)
    assert signals['all_background'] == 25
    assert signals['full_frame'] == 25
    assert signals['undecided'] == pytest.approx(100 * (1 / 4 + 1) / 4)
    # Decided: background 5 of 5, cat 2 of 4, dog 2 of 4.
    assert signals['source_agreement'] == pytest.approx(100 * (1 + 2 / 4 + 2 / 4) / 3, abs=0.01)


def test_a_class_without_images_counts_for_nothing(label):
    found = Judgement(_images(label)[:1], ('cat', 'dog'))
    assert found.by_class()[1]['tag_recall'] is None
    assert found.by_class()[1]['all_background'] is None
    assert found.signals()['tag_f1'] == 100


def test_without_tags_and_labels(label):
    maps = ImageMaps(None, label('01'), label('01'), None)
    found = Judgement([judge_image('a', maps, None, 3)], ('cat', 'dog')).signals()
    assert found['flip_agreement'] == 100
    assert {name for name, value in found.items() if value is not None} == {'flip_agreement'}


def test_review_is_sorted_by_doubt(label, tmp_path):
    images = _images(label)
    write_review(tmp_path / 'review.csv', images, ('cat, wild', 'dog'))
    with open(tmp_path / 'review.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    doubts = [float(row['doubt']) for row in rows]
    assert doubts == sorted(doubts, reverse=True)
    assert rows[0]['image'] == 'c'
    assert (rows[0]['missing'], rows[0]['extra']) == ('cat, wild', '')
    assert rows[0]['full_frame'] == 'dog'
    background = next(row for row in rows if row['image'] == 'd')
    assert background['all_background'] == '1'
    assert (background['tags'], background['tag_f1']) == ('cat, wild', '0.00')
    undecided = next(row for row in rows if row['image'] == 'b')
    assert (undecided['undecided'], undecided['source_agreement']) == ('100.00', '')
