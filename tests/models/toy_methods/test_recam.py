"""ReCAM: a second classifier reads features that the CAM of the first one has pooled."""

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from reference_networks import build, cam_config, random_batch, train_two_steps

from wsss_plugin.models.cams import CAMHead
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms import LossTerm
from wsss_plugin.ops.cam import class_activation_map, normalize_cam


@MODELS.register_module(force=True)
class ToySecondCAM(CAMHead):
    """Its CAM has the product of both classifiers' weights."""

    classifies = False

    def __init__(self, base, **kwargs):
        super().__init__(**kwargs)
        self.base = base

    def raw(self, features, tags=None, context=None):
        del tags
        first = context.source(self.base).classifier.weight
        return class_activation_map(self._joined(features), first * self.classifier.weight)

    def class_logits(self, features, base_cam):
        mask = normalize_cam(base_cam.relu())
        pooled = torch.einsum('bkhw,bchw->bkc', mask, self._joined(features)) / mask[0, 0].numel()
        return F.linear(pooled, self.classifier.weight.flatten(1))


@MODELS.register_module(force=True)
class ToySoftmaxTerm(LossTerm):
    """Every class of an image has to be told from all others by its own feature."""

    def __init__(self, cams, **kwargs):
        super().__init__(**kwargs)
        self.cams = cams

    def needs(self):
        return Needs(raw=(self.cams,))

    def losses(self, batch):
        source = batch.main.source(self.cams)
        features = batch.main.features(source.reads)
        logits = source.class_logits(features, batch.main.raw(source.base))
        image, label = batch.tags.nonzero().T
        return dict(loss_softmax=F.cross_entropy(logits[image, label], label))


def config():
    head = dict(in_channels=64, num_classes=5, reads='layer4', pooling='avg')
    cams = dict(
        first=dict(head, type='CAMHead'), final=dict(head, type='ToySecondCAM', base='first')
    )
    terms = dict(softmax=dict(type='ToySoftmaxTerm', cams='final', weight=0.5, start=1))
    return cam_config(terms=terms) | dict(cams=cams)


def test_trains_and_multiplies_the_weights(iteration):
    segmentor = build(config())
    inputs, samples = random_batch()
    iteration(1)
    history = train_two_steps(segmentor, dict(view1=inputs['view1']), samples)
    assert set(history[1]) == {'loss_cls', 'loss_softmax', 'loss'}
    segmentor.eval()
    forward = segmentor.batch(inputs['view1'], samples).main
    weights = [segmentor.cams[name].classifier.weight[..., 0, 0] for name in ('first', 'final')]
    (maps,) = forward.features(['layer4']).values()
    expected = torch.einsum('kc,kc,bchw->bkhw', *weights, maps)
    torch.testing.assert_close(forward.raw('final'), expected)
    assert segmentor.predict(inputs['view1'], samples)[0].pred_sem_seg.data.shape == (1, 64, 64)
