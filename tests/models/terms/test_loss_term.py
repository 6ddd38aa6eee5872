from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from reference_networks import build, random_batch, small_config

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms import LossTerm, PatchTokenContrastTerm


class Constant(LossTerm):
    """A loss of one and a value that is only logged."""

    def needs(self):
        return Needs()

    def losses(self, batch):
        del batch
        return dict(loss_one=torch.tensor(1.0), accuracy=torch.tensor(50.0))


def test_the_weight_is_that_of_losses_only():
    term, batch = Constant(weight=0.2), SimpleNamespace(image=torch.zeros(1, 3, 4, 4))
    assert term(batch) == dict(loss_one=torch.tensor(0.2), accuracy=torch.tensor(50.0))
    term.join('_second', ())
    assert set(term(batch)) == {'loss_one_second', 'accuracy_second'}


@pytest.mark.parametrize(('start', 'begins'), [(0, 0), (2001, 2001), (0.1, 2000)])
def test_start_as_an_iteration_or_a_share(start, begins):
    assert Constant(start=start).begins(20000) == begins


def test_a_share_needs_a_length():
    with pytest.raises(ValueError, match=r'start of Constant.*share 0\.5.*whole number'):
        Constant(start=0.5).begins(None)


@pytest.mark.parametrize('start', [-1, 1.5, True])
def test_start_is_checked(start):
    with pytest.raises(ValueError, match=r'start of Constant as an iteration'):
        Constant(start=start)


def test_idle_and_weight_are_checked():
    with pytest.raises(ValueError, match=r"idle of Constant in \('skip', 'zero'\).*'none'"):
        Constant(idle='none')
    with pytest.raises(ValueError, match=r'weight of Constant of at least 0, received -1'):
        Constant(weight=-1)


def test_a_weight_inside_the_loss_is_refused_by_both_keys():
    init_default_scope('mmseg')
    loss = dict(type='PatchTokenContrastLoss', loss_weight=0.2)
    config = dict(type='PatchTokenContrastTerm', labels='token', loss=loss)
    with pytest.raises(ValueError, match=r'loss\.loss_weight=0\.2.*key weight.*move the number'):
        MODELS.build(config)
    loss['loss_weight'] = 1
    assert isinstance(MODELS.build(config), PatchTokenContrastTerm)


def test_terms_of_one_kind_have_their_names_in_the_log():
    weak = dict(type='PatchTokenContrastTerm', labels='token', reads='inner.5', weight=0.1)
    segmentor = build(small_config(terms=dict(inner=weak)))
    losses = segmentor.loss(*random_batch())
    assert {'loss_ptc_ptc', 'loss_ptc_inner', 'loss_ctc', 'loss_seg'} <= set(losses)
    assert 'loss_ptc' not in losses


def test_a_key_of_the_log_twice_is_refused():
    loss = dict(type='PatchTokenContrastLoss', loss_name='loss_seg')
    segmentor = build(small_config(terms=dict(ptc=dict(loss=loss))))
    with pytest.raises(
        ValueError, match=r"'loss_seg'.*model\.terms\.seg a second time; set loss\.loss_name"
    ):
        segmentor.loss(*random_batch())


def test_idle_terms_leave_frozen_modules_alone():
    terms = {name: dict(start=9, idle='zero') for name in ('ptc', 'ctc', 'seg')}
    segmentor = build(small_config(terms=terms))
    segmentor.decode_head.requires_grad_(False)
    losses = segmentor.loss(*random_batch())
    # A constant would be on the CPU beside losses on a GPU.
    assert {name for name in losses if 'idle' in name} == {'loss_idle_ctc'}
    total, _ = segmentor.parse_losses(losses)
    total.backward()
    assert all(p.grad is None for p in segmentor.decode_head.parameters())


def test_a_share_of_the_training_by_the_running_one(iteration):
    segmentor = build(small_config(terms=dict(seg=dict(start=0.5))))
    received = []
    for number in (4, 5):
        iteration(number, 10)
        received.append('loss_seg' in segmentor.loss(*random_batch()))
    assert received == [False, True]
    iteration(0)
    with pytest.raises(ValueError, match=r'start of SegmentationTerm.*train with a runner'):
        segmentor.loss(*random_batch())
