"""At what threshold CAMs are drawn."""

import pytest
from mmengine.config import Config

from wsss_plugin.engine.drawn_model import scored_cam_threshold


@pytest.mark.parametrize('several', [False, True])
@pytest.mark.parametrize('threshold', [None, 0.3])
def test_outlines_are_drawn_at_the_threshold_that_is_scored(several, threshold):
    metric = dict(type='WSSSMetric', **({} if threshold is None else dict(cam_threshold=threshold)))
    config = Config(dict(test_evaluator=[dict(type='IoUMetric'), metric] if several else metric))
    assert scored_cam_threshold(config) == (threshold or 0.5)
