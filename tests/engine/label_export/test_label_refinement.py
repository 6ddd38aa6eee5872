"""Labels refined otherwise than the config says: against the steps by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wsss_plugin.engine.label_export import CAMLabels
from wsss_plugin.engine.label_export.label_refinement import (
    CRF_OF_SCORES,
    LabelRefinement,
    crf_settings,
)
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.crf_labels import label_of_alphas
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.label_crf import irn_label
from wsss_plugin.models.pseudo_labels import PAR, PixelLabels
from wsss_plugin.ops.cam import average_cams

CRF = dict(num_iter=3, bilateral=(10, 20, 10))


def _cams(source, item, names):
    batch = source._cams.batch(item)
    return average_cams(batch.cams(names))[0].detach(), batch


def test_a_crf_of_two_backgrounds(walker, pictured):
    pytest.importorskip('pydensecrf')
    item, image = pictured()
    source = CAMLabels(*walker, labels='pixel', refine='crf', crf=CRF, low=0.1, high=0.6)
    assert source.uses_crf
    work = source(item)
    assert isinstance(work, CRFWork)
    label = work.do()
    cams = _cams(source, item, ['final', 'early'])[0][[0, 2]].half().float().numpy()
    expected = np.append([0, 1, 3], np.full(253, 255))[irn_label(image, cams, 0.6, 0.1, **CRF)]
    assert np.array_equal(label, expected)
    present = source._cams.present(source._cams.batch(item))
    assert np.array_equal(source._refinement.label(present, 0.1, 0.6), label)
    nothing, _ = pictured(tags=(0,) * 5)
    present = source._cams.present(source._cams.batch(nothing))
    assert np.array_equal(source._refinement.label(present, 0.1, 0.6), np.zeros((40, 48)))
    assert {1, 255} <= set(np.unique(label).tolist())
    unrefined = CAMLabels(*walker, labels='pixel', low=0.1, high=0.6)(item)
    assert (label != unrefined.numpy()).any()
    assert source.method['refine'] == 'crf'
    assert source.method['crf']['bilateral'] == [10, 20, 10]
    assert source.method['crf']['certainty'] == 0.7


@pytest.mark.parametrize('maker', ['walk', 'boundary'])
def test_a_walk_is_refined_unless_told_otherwise(walker, pictured, maker):
    pytest.importorskip('pydensecrf')
    item, image = pictured()
    source = CAMLabels(*walker, labels=maker, crf=CRF)
    label = source(item).do()
    cam, batch = _cams(source, item, ['final'])
    scores = source._maker.scores(batch, cam[None])[0, [0, 1, 3]].detach().half().numpy()
    refined = dense_crf(image, scores, 3, (3, 3), (10, 20, 10)).argmax(axis=0)
    assert np.array_equal(label, np.array([0, 1, 3])[refined])
    plain = CAMLabels(*walker, labels=maker, refine='none')
    walked = plain(item)
    assert torch.equal(walked, batch.label(maker)[0])
    assert (label != walked.numpy()).any()
    assert (source.method['refine'], plain.method['refine']) == ('crf', 'none')
    item, _ = pictured(tags=(0,) * 5)
    assert source(item).unique().tolist() == [0]


def test_par_and_none(walker, pictured):
    item, _ = pictured()
    labels = {}
    for how in (None, 'none', 'par'):
        source = CAMLabels(*walker, labels='pixel', refine=how)
        labels[how] = source(item)
        assert source.method.get('refine') == how
    # The config has no refinement.
    assert torch.equal(labels[None], labels['none'])
    assert not torch.equal(labels['par'], labels['none'])
    maker = PixelLabels(('final',), refine=dict(type='PAR', num_iter=3))
    LabelRefinement(maker, 'par')
    assert maker.refine.num_iter == 3
    LabelRefinement(maker)
    assert isinstance(maker.refine, PAR)
    LabelRefinement(maker, 'none')
    assert maker.refine is None


def test_high_thresholds_of_classes_reach_the_crf(walker, pictured):
    pytest.importorskip('pydensecrf')
    item, _ = pictured()
    config, path = walker
    config = type(config)(config.to_dict())
    config.model.thresholds.high = (0.3, 0.4, 0.9, 0.5, 0.6)
    source = CAMLabels(config, path, labels='pixel', refine='crf')
    assert source(item).arguments[2:4] == (0.2, pytest.approx(0.9))


def test_a_crf_of_two_alphas(walker, pictured):
    pytest.importorskip('pydensecrf')
    item, _ = pictured()
    config, path = walker
    config = type(config)(config.to_dict())
    maker = dict(type='AlphaLabels', cams=('final',), low_alpha=2, high_alpha=8, reads='layer4')
    config.model.labels.pairs = maker
    source = CAMLabels(config, path, labels='pairs', refine='crf', crf=CRF)
    settings = crf_settings(CRF_OF_SCORES, CRF)
    work, cams = source(item), _cams(source, item, ['final'])[0][[0, 2]].half().numpy()
    expected = label_of_alphas(work.image_path, cams, np.array([1, 3]), (2, 8), 255, settings)
    assert np.array_equal(work.do(), expected)
    assert source.method['crf'] == dict(num_iter=3, gaussian=[3, 3], bilateral=[10, 20, 10])


def test_what_cannot_be_refined(walker):
    config, path = walker
    with pytest.raises(ConfigError, match=r'--refine par, received RandomWalkLabels'):
        CAMLabels(config, path, labels='walk', refine='par')
    with pytest.raises(ConfigError, match='settings of a CRF with --refine crf'):
        CAMLabels(config, path, labels='pixel', crf=CRF)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (dict(steps=3), r"among \['num_iter', .* received \['steps'\]"),
        (dict(num_iter=-1), 'crf num_iter >= 0'),
        (dict(gaussian=3), r"crf settings such as .*received .*'gaussian': 3,"),
        (dict(certainty=1), 'certainty between 0 and 1'),
    ],
)
def test_settings_of_the_crf(given, message):
    defaults = dict(num_iter=1, gaussian=(1, 1), bilateral=(1, 1, 1), certainty=0.7)
    with pytest.raises(ConfigError, match=message):
        crf_settings(defaults, given)
