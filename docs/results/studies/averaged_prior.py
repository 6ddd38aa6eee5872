"""A segmentor whose class prior is the mean of several heads."""

import torch
from mmseg.registry import MODELS

from wsss_plugin.models.segmentors import WeakSegmentor
from wsss_plugin.ops.class_prior import with_class_prior


@MODELS.register_module()
class AveragedPrior(WeakSegmentor):
    averaged = ('final', 'cnn')

    def encode_decode(self, inputs, batch_img_metas):
        view = self.batch(inputs, []).main
        class_logits = torch.stack([view.logits(name) for name in self.averaged])
        logits = super().encode_decode(inputs, batch_img_metas)
        return with_class_prior(logits, class_logits.mean(0))
