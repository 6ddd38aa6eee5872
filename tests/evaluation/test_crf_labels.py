"""What a CRF makes of an image file: against the functions that it calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.evaluation.crf_labels import (
    label_of_alphas,
    label_of_cams,
    label_of_scores,
    scores_of_alphas,
)
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.label_crf import irn_label

DATA = Path(__file__).parents[1] / 'data'
SETTINGS = {'num_iter': 3, 'gaussian': (3, 3), 'bilateral': (80, 13, 10)}

pytest.importorskip('pydensecrf')


@pytest.fixture
def arrays(tmp_path):
    with np.load(DATA / 'irn_ir_label_crf.npz') as arrays:
        found = {key: arrays[key] for key in arrays.files}
    Image.fromarray(found['img']).save(tmp_path / 'street.png')
    return {**found, 'path': str(tmp_path / 'street.png')}


def test_labels_have_the_values_of_classes(arrays):
    cams, values = arrays['cams'], np.array([4, 9], np.uint8)
    label = label_of_cams(arrays['path'], cams, values, 0.1, 0.35, 255, SETTINGS)
    local = irn_label(arrays['img'], cams, 0.35, 0.1, **SETTINGS)
    assert np.array_equal(label, np.append([0, 4, 9], np.full(253, 255))[local])
    scores = np.concatenate((np.full((1, *cams.shape[1:]), 0.3), cams))
    label = label_of_scores(arrays['path'], scores, np.array([0, 4, 9], np.uint8), SETTINGS)
    expected = dense_crf(arrays['img'], scores, **SETTINGS).argmax(axis=0)
    assert np.array_equal(label, np.array([0, 4, 9])[expected])


def test_scores_decide_where_the_crf_leaves_nothing(arrays):
    scores = np.full((2, *arrays['cams'].shape[1:]), 0.9)
    scores[1] = 0.1
    # One pixel that all others outvote.
    scores[:, 5, 5] = 0.45, 0.55
    values = np.array([0, 7], np.uint8)
    assert not label_of_scores(arrays['path'], scores, values, SETTINGS).any()
    label = label_of_scores(arrays['path'], scores, values, SETTINGS, keep=True)
    assert (label[5, 5], label.sum()) == (7, 7)


def test_alphas_are_powers_of_the_background(arrays):
    cams = arrays['cams']
    low, high = scores_of_alphas(arrays['path'], cams, (4, 32), SETTINGS)
    background = (1 - cams.max(axis=0, keepdims=True)) ** 32
    expected = dense_crf(arrays['img'], np.concatenate((background, cams)), **SETTINGS)
    np.testing.assert_allclose(high, expected, atol=1e-6)
    assert (low[0] >= high[0] - 1e-6).all()
    assert (low[0] > high[0] + 0.01).any()
    nothing = scores_of_alphas(arrays['path'], cams[:0], (4, 32), SETTINGS)
    assert nothing.shape == (2, 1, *cams.shape[1:])
    assert (nothing == 1).all()


def test_a_label_by_alphas_is_certain_with_both(arrays):
    cams, values = arrays['cams'], np.array([4, 9], np.uint8)
    label = label_of_alphas(arrays['path'], cams, values, (1, 3), 255, SETTINGS)
    low, high = scores_of_alphas(arrays['path'], cams, (1, 3), SETTINGS).argmax(axis=1)
    numbers = np.array([0, 4, 9])
    # Much background with the low power, little with the high one.
    assert np.array_equal(label == 0, high == 0)
    assert np.array_equal(label == 255, (low == 0) & (high > 0))
    kept = low > 0
    assert np.array_equal(label[kept], numbers[low][kept])
    assert {0, 255} < set(np.unique(label).tolist()) <= {0, 4, 9, 255}


def test_work_without_a_pool(arrays):
    arguments = (arrays['cams'], (4, 32), SETTINGS)
    work, found = CRFWork(scores_of_alphas, arrays['path'], arguments), []
    work.start(None, found.append)
    assert np.array_equal(found[0], scores_of_alphas(arrays['path'], *arguments))
    broken = work._replace(image_path=arrays['path'] + '.jpg')
    with pytest.raises(RuntimeError, match=r'the CRF of .*street\.png\.jpg failed'):
        broken.do()
