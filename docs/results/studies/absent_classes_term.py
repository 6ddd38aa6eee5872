"""A loss on classes that an image has no tag of, at every position."""

import torch
from mmseg.registry import MODELS

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms import LossTerm
from wsss_plugin.ops.labels import scale_box


@MODELS.register_module()
class AbsentClassesTerm(LossTerm):
    def needs(self):
        return Needs(decoder=True)

    def losses(self, batch):
        logits = batch.main.decode_logits.float()
        rows, columns = logits.shape[-2:]
        box = scale_box(batch.box, tuple(batch.image.shape[-2:]), (rows, columns))
        top, bottom, left, right = box.T[..., None, None]
        row, column = torch.arange(rows)[None, :, None], torch.arange(columns)[None, None]
        inside = (row >= top) & (row < bottom) & (column >= left) & (column < right)
        allowed = torch.cat((torch.ones_like(batch.tags[:, :1]), batch.tags), 1) > 0
        possible = logits.masked_fill(~allowed[..., None, None], float('-inf'))
        pixels = logits.logsumexp(1) - possible.logsumexp(1)
        return {'loss_absent': pixels[inside].mean()}
