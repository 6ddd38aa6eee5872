from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from reference_networks import build, dual_config, random_batch


def with_term(**changes):
    return dual_config(terms=dict(consistency=changes))


def touched(module) -> bool:
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


def losses_of(term, cams, tags=None):
    main = SimpleNamespace(raw=cams.__getitem__)
    return term(SimpleNamespace(main=main, tags=tags, image=next(iter(cams.values()))))


@pytest.mark.parametrize('form', ['normalized', 'relu'])
@pytest.mark.parametrize(
    ('detach', 'vit', 'cnn'),
    [('none', True, True), ('first', False, True), ('second', True, False)],
)
def test_reaches_the_branches_as_intended(form, detach, vit, cnn):
    segmentor = build(with_term(loss=dict(detach=detach), compare=form))
    losses = segmentor.loss(*random_batch())
    (losses['loss_consistency_aux'] + losses['loss_consistency_final']).backward()
    cams = segmentor.cams
    assert touched(segmentor.backbone.vit) == vit
    assert touched(cams['final']) == touched(cams['aux']) == vit
    assert touched(segmentor.backbone.cnn) == cnn
    assert touched(cams['cnn']) == cnn
    assert not touched(segmentor.decode_head)


def test_is_zero_for_equal_cams():
    term = build(with_term()).terms['consistency']
    cam = torch.randn(2, 5, 4, 4)
    losses = losses_of(term, dict.fromkeys(('final', 'aux', 'cnn'), cam))
    assert losses == dict(loss_consistency_aux=0, loss_consistency_final=0)


def test_is_the_weighted_difference():
    term = build(with_term(weight=0.5, compare='relu')).terms['consistency']
    cams = {name: torch.randn(1, 2, 3, 3) for name in ('final', 'aux', 'cnn')}
    expected = 0.5 * (cams['aux'].relu() - cams['cnn'].relu()).abs().mean()
    torch.testing.assert_close(losses_of(term, cams)['loss_consistency_aux'], expected)


def test_half_precision_is_compared_in_wide_floats():
    term = build(with_term()).terms['consistency']
    faint = torch.linspace(0, 1e-6, 16).view(1, 1, 4, 4).half().expand(2, 5, 4, 4)
    cams = {name: faint.clone().requires_grad_() for name in ('final', 'aux')}
    cams['cnn'] = faint.flip(-1).clone().requires_grad_()
    losses = losses_of(term, cams)
    wide = {name: cam.detach().double().requires_grad_() for name, cam in cams.items()}
    exact = losses_of(term, wide)
    for name, expected in exact.items():
        torch.testing.assert_close(losses[name].double(), expected, rtol=1e-5, atol=0)
    sum(losses.values()).backward()
    sum(exact.values()).backward()
    for name, cam in cams.items():
        expected = wide[name].grad
        close = dict(rtol=0.01, atol=0.01 * expected.abs().max().item())
        torch.testing.assert_close(cam.grad.double(), expected, **close)


def test_names_in_the_log_tell_the_pairs_apart():
    pairs = (('final', 'cnn'), ('final', 'aux'), ('aux', 'cnn'))
    segmentor = build(with_term(pairs=pairs))
    names = {name for name in segmentor.loss(*random_batch()) if 'consistency' in name}
    assert names == {
        'loss_consistency_final_cnn',
        'loss_consistency_final_aux',
        'loss_consistency_aux',
    }


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match=r"compare of ConsistencyTerm.*received 'softmax'"):
        build(with_term(compare='softmax'))


@pytest.mark.parametrize(
    'pairs', [(), (('aux',),), (('aux', 'cnn'), ('aux', 'cnn')), (('aux', 'cnn', 'final'),)]
)
def test_pairs_are_checked(pairs):
    with pytest.raises(ValueError, match=r'pairs of ConsistencyTerm as different pairs'):
        build(with_term(pairs=pairs))


def test_unknown_sources_are_refused():
    with pytest.raises(ValueError, match=r"model\.terms\.consistency to name.*'resnet'"):
        build(with_term(pairs=(('aux', 'resnet'),)))
