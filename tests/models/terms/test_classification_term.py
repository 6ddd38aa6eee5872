from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from reference_networks import build, dual_config, random_batch, small_config


def only_classification(**changes):
    return small_config(terms=dict(ptc=None, ctc=None, seg=None, **changes))


def test_every_source_with_logits_is_taught():
    config = dual_config(
        cams=dict(decoder=dict(type='DecoderCAM')),
        labels=dict(pixel=dict(cams=((0, ('final',)), (9, ('final', 'decoder'))))),
    )
    segmentor = build(config)
    inputs, samples = random_batch()
    losses = segmentor.loss(inputs, samples)
    assert {name for name in losses if 'cls' in name} == {
        f'loss_cls_{name}' for name in ('aux', 'cnn', 'final')
    }
    tags = torch.stack([sample.gt_tags for sample in samples])
    logits = segmentor.batch(inputs, samples).main.logits('aux')
    torch.testing.assert_close(losses['loss_cls_aux'], F.multilabel_soft_margin_loss(logits, tags))


def test_only_the_sources_that_are_named():
    segmentor = build(small_config(terms=dict(cls=dict(cams=('final',), weight=0.5))))
    inputs, samples = random_batch()
    losses = segmentor.loss(inputs, samples)
    assert 'loss_cls_aux' not in losses
    logits = segmentor.batch(inputs, samples).main.logits('final')
    tags = torch.stack([sample.gt_tags for sample in samples])
    torch.testing.assert_close(
        losses['loss_cls'], 0.5 * F.multilabel_soft_margin_loss(logits, tags)
    )


def test_class_tokens_in_place_of_a_source():
    term = build(dict(type='ClassificationTerm', reads='tokens', weight=2))
    term.join('', ('final',))
    assert (term.needs().features, term.needs().logits) == (('tokens',), ())
    tokens, tags = torch.randn(2, 5, 7), torch.eye(5)[:2]
    main = SimpleNamespace(features=lambda names: dict.fromkeys(names, tokens))
    losses = term(SimpleNamespace(main=main, tags=tags, image=tokens))
    expected = 2 * F.multilabel_soft_margin_loss(tokens.mean(dim=2), tags)
    torch.testing.assert_close(losses, dict(loss_cls=expected))


def test_sources_and_a_feature_together_are_refused():
    with pytest.raises(ValueError, match=r"cams or reads.*\('final',\) and 'class'.*two terms"):
        build(small_config(terms=dict(cls=dict(cams=('final',), reads='class'))))


def test_missing_tags_are_named():
    segmentor = build(only_classification())
    inputs, samples = random_batch()
    del samples[1].gt_tags
    with pytest.raises(KeyError, match=r'gt_tags.*PackWSSSInputs'):
        segmentor.loss(inputs, samples)
