"""Out-of-fold scores do not know an image's own tags, and find those that were changed."""

import csv

import numpy as np
import pytest

from wsss_plugin.engine.inspection.doubtful_tags import (
    doubtful_tags,
    out_of_fold_scores,
    write_doubtful_tags,
)
from wsss_plugin.errors import ConfigError

pytest.importorskip('sklearn')


def _blobs(number=120, width=6, seed=0):
    """Features that show two classes in two of their dimensions."""
    rng = np.random.default_rng(seed)
    tags = (rng.random((number, 2)) < 0.4).astype(int)
    features = rng.normal(size=(number, width))
    features[:, :2] += 6 * tags
    return features, tags


def test_finds_dropped_and_added_tags():
    features, truth = _blobs()
    given, wrong = truth.copy(), set()
    for row, column in ((3, 0), (20, 1), (41, 0), (77, 1), (90, 0)):
        given[row, column] = 1 - given[row, column]
        wrong.add((f'i{row}', 'ab'[column], 'wrong' if given[row, column] else 'missing'))
    scores = out_of_fold_scores(features, given, folds=4)
    found = doubtful_tags(scores, given, [f'i{n}' for n in range(len(given))], 'ab')
    assert len(found) >= 4
    assert {(tag.image, tag.tag, tag.kind) for tag in found[:4]} <= wrong
    assert [tag.doubt for tag in found] == sorted((tag.doubt for tag in found), reverse=True)


def test_noise_is_not_learnt_by_heart():
    rng = np.random.default_rng(0)
    tags = np.repeat([[0], [1]], 30, axis=0)
    scores = out_of_fold_scores(rng.normal(size=(60, 200)), tags)
    # A regression that saw the images' own tags would tell all of them apart.
    right = ((scores[:, 0] > 0.5) == tags[:, 0]).mean()
    assert 0.3 < right < 0.7


def test_classes_that_are_too_rare_have_no_scores():
    features, tags = _blobs(40)
    tags = np.column_stack([tags, np.zeros(40, int), np.ones(40, int), np.eye(40, 1, dtype=int)])
    scores = out_of_fold_scores(features, tags)
    assert np.isnan(scores[:, 2:]).all()
    assert not np.isnan(scores[:, :2]).any()
    found = doubtful_tags(scores, tags, [str(n) for n in range(40)], 'abcde', number=500)
    assert {tag.tag for tag in found} <= {'a', 'b'}


@pytest.mark.parametrize('folds', [1, 41])
def test_refuses_folds_that_cannot_be(folds):
    features, tags = _blobs(40)
    with pytest.raises(ConfigError, match=f'from 2 to 40 folds.* received {folds}'):
        out_of_fold_scores(features, tags, folds)


def test_thresholds_are_those_of_confident_learning():
    scores = np.array([[0.9], [0.7], [0.85], [0.75], [0.1]])
    tags = np.array([[1], [1], [0], [0], [0]])
    # The mean of the tagged is 0.8: 0.85 reaches it, 0.75 does not. That of the others is 0.43.
    (tag,) = doubtful_tags(scores, tags, 'abcde', ['x'])
    assert (tag.image, tag.kind) == ('c', 'missing')
    assert tag.doubt == pytest.approx(0.05)


def test_csv(tmp_path):
    scores = np.array([[0.9], [0.95], [0.1]])
    found = doubtful_tags(scores, np.array([[1], [0], [0]]), ['x', 'b,"1"', 'y'], ['cat;dog'])
    write_doubtful_tags(tmp_path / 'a.csv', found)
    with open(tmp_path / 'a.csv', newline='', encoding='utf-8') as file:
        (row,) = csv.DictReader(file)
    assert row['image'] == 'b,"1"'
    assert row['class'] == 'cat;dog'
    assert (row['kind'], row['score'], row['doubt']) == ('missing', '0.9500', '0.0500')
