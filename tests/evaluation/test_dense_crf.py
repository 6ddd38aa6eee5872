"""dense_crf against label maps and probabilities that three published scripts produced."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest

from wsss_plugin.evaluation.dense_crf import dense_crf

DATA = Path(__file__).parents[1] / 'data' / 'crf.npz'


@pytest.fixture(scope='module')
def saved():
    return np.load(DATA)


@pytest.mark.parametrize(
    ('probabilities', 'expected', 'gaussian', 'bilateral'),
    [
        ('prob', 'psa_q', (3, 3), (80, 13, 10)),
        ('psa_scores_in', 'psa_scores_q', (3, 3), (80, 13, 10)),
        ('prob', 'cluster_q', (4, 3), (83, 5, 3)),
    ],
)
def test_agrees_with_published_scripts(saved, probabilities, expected, gaussian, bilateral):
    refined = dense_crf(saved['img'], saved[probabilities], 10, gaussian, bilateral)
    reference = saved[expected]
    assert (refined.argmax(0) == reference.argmax(0)).mean() >= 0.99
    assert np.abs(refined - reference).mean() < 1e-3
    # The CRF changes labels of this input, so that agreement is no accident of the unary.
    assert (saved[probabilities].argmax(0) == reference.argmax(0)).mean() < 0.97


def test_output_is_a_distribution(saved):
    refined = dense_crf(saved['img'], saved['prob'])
    assert refined.shape == saved['prob'].shape
    assert refined.dtype == np.float32
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)


def test_no_iterations_keep_the_probabilities(saved):
    prob = saved['prob'] / saved['prob'].sum(0)
    np.testing.assert_allclose(dense_crf(saved['img'], prob, num_iter=0), prob, atol=1e-4)


@pytest.mark.parametrize('shape', [(1, 5, 7), (2, 1, 1), (4, 13, 3)])
def test_odd_sizes_float16_and_views(shape):
    generator = np.random.default_rng(0)
    image = generator.integers(0, 255, (*shape[1:], 6), dtype=np.uint8)[..., ::2]
    prob = generator.random(shape).astype(np.float16)
    refined = dense_crf(image, prob)
    plain = dense_crf(image.copy(), prob.astype(np.float32), 10, (1, 1), (121, 5, 4))
    np.testing.assert_allclose(refined, plain, atol=1e-6)
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)


def test_errors():
    image = np.zeros((4, 5, 3), np.uint8)
    prob = np.full((2, 4, 5), 0.5, np.float32)
    with pytest.raises(TypeError, match='uint8'):
        dense_crf(image.astype(np.float32), prob)
    with pytest.raises(ValueError, match=r'expected probabilities \(C, 4, 5\)'):
        dense_crf(image, prob[:, :3])
    with pytest.raises(ValueError, match=r'\(H, W, 3\)'):
        dense_crf(image[..., :1], prob)
    with pytest.raises(ValueError, match='num_iter'):
        dense_crf(image, prob, num_iter=-1)
    with pytest.raises(ValueError, match='gaussian'):
        dense_crf(image, prob, gaussian=(1, 1, 1))
    with pytest.raises(ValueError, match='bilateral'):
        dense_crf(image, prob, bilateral=(0, 5, 4))


def test_missing_package_is_named(monkeypatch):
    original = builtins.__import__

    def without_pydensecrf(name, *args, **kwargs):
        if name.startswith('pydensecrf'):
            raise ImportError('hidden')
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without_pydensecrf)
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        dense_crf(np.zeros((4, 5, 3), np.uint8), np.full((2, 4, 5), 0.5, np.float32))
