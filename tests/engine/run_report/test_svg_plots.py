"""Plots are SVG that can stand beside others in a page, with names as they are."""

import re
from xml.etree import ElementTree

import pytest

from wsss_plugin.engine.run_report.curves import training_curves
from wsss_plugin.engine.run_report.svg_plots import bars_svg, curves_svg


def _texts(svg):
    return [text for element in ElementTree.fromstring(svg).iter() if (text := element.text)]


def test_names_are_literal():
    svg = bars_svg(['_cat', 'US$$ <note>', '$x_1$'], {'a $b$ & c': [1.0, None, 3.0]}, 'rate')
    assert {'_cat', 'US$$ <note>', '$x_1$', 'a $b$ & c', 'rate'} <= set(_texts(svg))


def test_parts_of_two_plots_have_different_names():
    points = {'loss': [(1, 2.0), (2, 1.0)]}
    first, second = curves_svg(points, 'a'), curves_svg(points, 'b')
    named = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (first, second)]
    assert named[0]
    assert not named[0] & named[1]
    for svg, names in zip((first, second), named, strict=True):
        assert set(re.findall(r'url\(#([^)]+)\)|xlink:href="#([^"]+)"', svg)) or not names
    assert curves_svg(points, 'a') == first


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='one curve or more'):
        curves_svg({}, 'a')
    with pytest.raises(ValueError, match='one bar or more'):
        bars_svg([], {'a': []}, 'a')


def test_curves_are_sorted_by_what_they_are():
    row = {
        'iter': 1,
        'loss_cls': 2.0,
        'terms.seg.loss_weight': 0.1,
        'vit.lr': 0.1,
        'vit.base_lr': 0.1,
        'high_threshold': 0.5,
        'time': 1.0,
        'acc_seg': 90.0,
    }
    plots = training_curves([row], [{'iter': 1, 'mIoU': 30.0, 'aAcc': 1.0}])
    said = [{*_texts(plot)} & {*row, 'mIoU', 'aAcc'} for plot in plots]
    assert said == [
        {'loss_cls'},
        {'vit.lr'},
        {'high_threshold'},
        {'time'},
        {'terms.seg.loss_weight'},
        {'acc_seg'},
        {'mIoU'},
    ]
