"""The same share of every class is held out, by a seed."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

from wsss_plugin.engine.judging import hold_out
from wsss_plugin.errors import ConfigError


def test_share_of_each_class():
    rng = np.random.default_rng(0)
    tags = (rng.random((500, 5)) < [0.5, 0.2, 0.1, 0.04, 0.0]).astype(int)
    held = hold_out(tags, 0.1)
    counts, drawn = tags.sum(axis=0), tags[held].sum(axis=0)
    assert held == sorted(set(held))
    assert (np.abs(drawn[1:] - 0.1 * counts[1:]) <= 3).all()
    assert 40 <= len(held) <= 70
    assert hold_out(tags, 0.1) == held
    assert hold_out(tags, 0.1, seed=1) != held


def test_the_last_image_of_a_class_is_trained_on():
    assert hold_out([[1], [0], [0], [0]], 0.9) != [0, 1, 2, 3]
    assert 0 not in hold_out([[1], [0], [0], [0]], 0.9)
    assert hold_out(np.zeros((10, 2)), 0.2) != []


@pytest.mark.parametrize('share', [0, 1, -0.1])
def test_refuses_a_share_that_cannot_be(share):
    with pytest.raises(ConfigError, match='a share of the images in'):
        hold_out([[1]], share)


def test_the_page_says_what_happens():
    page = Path(__file__).parents[3] / 'docs' / 'judging.md'
    (block,) = re.findall(r'```pycon\n(.*?)```', page.read_text(encoding='utf-8'), flags=re.S)
    test = doctest.DocTestParser().get_doctest(block, {}, page.name, str(page), 0)
    assert len(test.examples) == 5
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0
