from __future__ import annotations

import pytest
import torch
from reference_networks import build, random_batch, small_config

from wsss_plugin.ops.labels import cam_to_label, refined_pseudo_label


def batch_of(segmentor, **metainfo):
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.4
    inputs, samples = random_batch()
    for sample in samples:
        sample.set_metainfo(metainfo)
    return segmentor.batch(inputs, samples)


def test_is_the_refined_label():
    segmentor = build(small_config())
    batch = batch_of(segmentor, box=(0, 64, 8, 60))
    refine = segmentor.labels['pixel'].refine
    (cam,) = batch.cams(['final'])
    expected = refined_pseudo_label(
        batch.pictures, cam, batch.tags, 0.3, 0.4, batch.box, refine=refine
    )
    assert torch.equal(batch.label('pixel'), expected)
    assert len(expected.unique()) > 2


def test_without_refinement_it_is_the_cam_s():
    segmentor = build(
        small_config(
            decode_head=dict(ignore_index=254),
            labels=dict(pixel=dict(refine=None, ignore_index=254)),
        )
    )
    batch = batch_of(segmentor, box=(0, 64, 8, 60))
    (cam,) = batch.cams(['final'])
    expected = cam_to_label(cam, batch.tags, 0.3, 0.4, batch.box, ignore_index=254)
    label = batch.label('pixel')
    assert torch.equal(label, expected)
    assert label.shape == (2, 64, 64)
    assert (label[..., :8] == 254).all()


def test_the_scale_of_the_refinement():
    seen = []
    segmentor = build(small_config(labels=dict(pixel=dict(scale=0.25))))
    maker = segmentor.labels['pixel']
    maker.refine.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].shape[-2:]))
    batch_of(segmentor).label('pixel')
    assert set(seen) == {(16, 16)}
    assert maker.per_pixel


@pytest.mark.parametrize('scale', [0, -1])
def test_scale_is_checked(scale):
    with pytest.raises(ValueError, match=f'positive scale of PixelLabels, received {scale}'):
        build(small_config(labels=dict(pixel=dict(scale=scale))))
