"""Test-time augmentation without batches, to compare with."""

from __future__ import annotations

from mmengine.model import BaseTTAModel

from wsss_plugin.evaluation.scale_max_tta_model import ScaleMaxTTAModel


class OneAtATimeTTAModel(ScaleMaxTTAModel):
    """``ScaleMaxTTAModel`` whose scales and flips go through the network one after the other.

    Arguments are those of ``ScaleMaxTTAModel``.
    """

    test_step = BaseTTAModel.test_step
