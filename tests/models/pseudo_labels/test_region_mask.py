from __future__ import annotations

import torch
from reference_networks import build, random_batch, small_config

from wsss_plugin.ops.labels import region_of_interest


def test_sorts_pixels_by_the_thresholds():
    segmentor = build(small_config())
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.5
    batch = segmentor.batch(*random_batch())
    region = batch.label('region')
    (cam,) = batch.cams(['aux'])
    assert torch.equal(region, region_of_interest(cam, batch.tags, 0.3, 0.5))
    assert region.shape == (2, 64, 64)
    assert region.unique().tolist() == [0, 1, 2]
    assert not segmentor.labels['region'].per_pixel
