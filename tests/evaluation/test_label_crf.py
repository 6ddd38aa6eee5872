from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.label_crf import irn_label, label_crf

DATA = Path(__file__).parents[1] / 'data'

pytest.importorskip('pydensecrf')


@pytest.fixture
def arrays():
    with np.load(DATA / 'irn_ir_label_crf.npz') as arrays:
        return {key: arrays[key] for key in arrays.files}


def test_agrees_with_the_reference(arrays):
    """By agreement: the lattice of the CRF is an approximation."""
    label = irn_label(arrays['img'], arrays['cams'])
    classes = np.append(arrays['keys'], np.full(253, 255))
    assert (classes[label] == arrays['conf']).mean() > 0.99
    refined = label_crf(arrays['img'], arrays['fg_argmax_pre_crf'], 3)
    assert (arrays['keys'][refined] == arrays['fg_conf']).mean() > 0.99
    assert (refined != arrays['fg_argmax_pre_crf']).any()


def test_is_a_crf_of_the_labels_probabilities(arrays):
    label = arrays['fg_argmax_pre_crf']
    probabilities = np.where(np.arange(3)[:, None, None] == label, 0.6, 0.2)
    expected = dense_crf(arrays['img'], probabilities, 3, (2, 2), (20, 5, 4)).argmax(axis=0)
    found = label_crf(arrays['img'], label, 3, 3, 0.6, (2, 2), (20, 5, 4))
    assert np.array_equal(found, expected)


def test_no_class_is_background(arrays):
    label = irn_label(arrays['img'], arrays['cams'][:0])
    assert label.dtype == np.int64
    assert np.array_equal(label, np.zeros((24, 30)))


def test_equal_backgrounds_ignore_nothing(arrays):
    assert 255 not in irn_label(arrays['img'], arrays['cams'], 0.2, 0.2)


def test_bad_input(arrays):
    image, label = arrays['img'], np.zeros((24, 30), dtype=int)
    with pytest.raises(ValueError, match='low not to exceed high'):
        irn_label(image, arrays['cams'], 0.1, 0.2)
    with pytest.raises(ValueError, match=r'CAMs \(N, 24, 30\)'):
        irn_label(image, arrays['cams'][:, :20])
    with pytest.raises(ValueError, match='labels from 0 to 1, received 0 to 255'):
        label_crf(image, np.where(label + np.arange(30) > 20, 255, 0), 2)
    with pytest.raises(ValueError, match='certainty between 0 and 1'):
        label_crf(image, label, 2, certainty=1)
