"""Two students, each of which learns from the label that the other one makes."""

import torch
import torch.nn.functional as F
from mmengine.model import ModuleDict
from mmseg.registry import MODELS
from reference_networks import build, random_batch, small_config, train_two_steps

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.segmentors import ToolboxSegmentor

NAMES = ('first', 'second')


@MODELS.register_module(force=True)
class ToyTwoStudents(ToolboxSegmentor):
    """Wraps two segmentors; the first one predicts."""

    def __init__(self, students, cross=dict(weight=0.1), **kwargs):  # noqa: B006
        super().__init__(**kwargs)
        self.students = ModuleDict({name: MODELS.build(students[name]) for name in NAMES})
        self.weight = cross['weight']

    def loss(self, inputs, data_samples):
        further = [Needs(labels=('pixel',), decoder=True)]
        batches = {
            name: student.training_batch(inputs, data_samples, further)
            for name, student in self.students.items()
        }
        losses = {
            f'{name}.{key}': value
            for name, student in self.students.items()
            for key, value in student.losses_of(batches[name]).items()
        }
        for own, other in (NAMES, NAMES[::-1]):
            losses[f'loss_cross_{own}'] = self.weight * self.cross(batches[own], batches[other])
        return losses

    @staticmethod
    def cross(own, other):
        label = other.label('pixel')
        logits = F.interpolate(own.main.decode_logits, size=label.shape[-2:], mode='bilinear')
        return F.cross_entropy(logits, label, ignore_index=255, reduction='sum') / label.numel()

    def encode_decode(self, inputs, batch_img_metas):
        return self.students['first'].encode_decode(inputs, batch_img_metas)

    def extract_feat(self, inputs):
        return self.students['first'].extract_feat(inputs)

    predict = ToolboxSegmentor.segment

    def _forward(self, inputs, data_samples=None):
        return self.students['first'](inputs, data_samples)


def test_trains_and_each_learns_from_the_other_s_label():
    terms = dict(ptc=None, ctc=None, seg=None)
    student = small_config(terms=terms, labels=dict(token=None, region=None))
    model = build(dict(type='ToyTwoStudents', students=dict.fromkeys(NAMES, student)))
    inputs, samples = random_batch()
    inputs = dict(view1=inputs['view1'])
    history = train_two_steps(model, inputs, samples)
    assert {'first.loss_cls_final', 'second.loss_cls_aux', 'loss_cross_first'} <= set(history[1])
    first, second = model.students.values()
    for student in (first, second):
        student.thresholds.low, student.thresholds.high = 0.3, 0.4
    model.zero_grad()
    losses = model.loss(inputs, samples)
    with torch.no_grad():
        label = second.batch(inputs, samples).label('pixel')
        logits = F.interpolate(first(inputs['view1']), size=(64, 64), mode='bilinear')
        known = F.cross_entropy(logits, label, ignore_index=255, reduction='none')
    torch.testing.assert_close(losses['loss_cross_first'].detach(), 0.1 * known.mean())
    losses['loss_cross_first'].backward()
    assert all(p.grad is None for p in second.parameters())
    assert all(p.grad is not None for p in first.decode_head.parameters())
