from __future__ import annotations

import pytest
import torch
from reference_networks import build, random_batch, small_config


def test_crops_do_not_depend_on_the_place_in_the_batch():
    segmentor = build(small_config())
    inputs, samples = random_batch(images=4)
    term = segmentor.terms['ctc']
    crops, positive = term.crops(segmentor.batch(inputs, samples))
    assert crops.shape == (4, 8, 3, 32, 32)
    order = [2, 0, 3, 1]
    turned = segmentor.batch(
        {name: view[order] for name, view in inputs.items()}, [samples[i] for i in order]
    )
    again, positive_again = term.crops(turned)
    torch.testing.assert_close(again, crops[order])
    assert torch.equal(positive_again, positive[order])


def test_the_teacher_follows_the_student():
    segmentor = build(small_config())
    term = segmentor.terms['ctc']
    segmentor.loss(*random_batch())
    with torch.no_grad():
        term.projection_head.mlp[0].weight.add_(1)
    before = term.teacher.module.mlp[0].weight.clone()
    segmentor.loss(*random_batch())
    moved = term.teacher.module.mlp[0].weight - before
    torch.testing.assert_close(moved, torch.full_like(moved, 0.1))
    assert not any(p.requires_grad for p in term.teacher.parameters())


def test_the_teacher_stays_in_evaluation():
    segmentor = build(small_config())
    segmentor.loss(*random_batch())
    segmentor.eval()
    before = {name: value.clone() for name, value in segmentor.state_dict().items()}
    with torch.no_grad():
        segmentor.terms['ctc'].projection_head.mlp[0].weight.add_(1)
        before['terms.ctc.projection_head.mlp.0.weight'].add_(1)
        segmentor.loss(*random_batch())
    for name, value in segmentor.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_odd_and_small_crops():
    segmentor = build(small_config(terms=dict(ctc=dict(local_crops=dict(num=3, size=17)))))
    inputs, samples = random_batch()
    crops, positive = segmentor.terms['ctc'].crops(segmentor.batch(inputs, samples))
    assert crops.shape == (2, 3, 3, 17, 17)
    assert positive.shape == (2, 3)
    windows = inputs['local'].unfold(2, 17, 1).unfold(3, 17, 1).permute(0, 2, 3, 1, 4, 5)
    for image, places in zip(crops, windows.flatten(1, 2), strict=True):
        assert all((places == crop).flatten(1).all(dim=1).any() for crop in image)


def test_views_may_have_other_names():
    names = dict(second_view='other', local_view='near')
    segmentor = build(small_config(terms=dict(ctc=names)))
    inputs, samples = random_batch()
    plain = build(small_config())
    plain.load_state_dict(segmentor.state_dict())
    renamed = dict(view1=inputs['view1'], other=inputs['view2'], near=inputs['local'])
    expected = plain.loss(inputs, samples)['loss_ctc']
    torch.testing.assert_close(segmentor.loss(renamed, samples)['loss_ctc'], expected)
    with pytest.raises(KeyError, match=r"\('near', 'other', 'view1'\).*MultiCropViews"):
        segmentor.loss(inputs, samples)


def test_errors():
    with pytest.raises(ValueError, match=r"local_crops of ClassTokenContrastTerm.*\['number'\]"):
        build(small_config(terms=dict(ctc=dict(local_crops=dict(number=3)))))
    with pytest.raises(ValueError, match=r'momentum of ClassTokenContrastTerm is 1 minus'):
        build(small_config(terms=dict(ctc=dict(momentum=1.0))))
