"""CAMs from files teach affinities, along which the CAM that predicts walks."""

from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from reference_networks import build, cam_config, random_batch, train_two_steps

from wsss_plugin.ops.random_walk import random_walk


@MODELS.register_module(force=True)
class ToyStoredCAM(BaseModule):
    """The CAM in ``folder`` under the name of the image; ``walk`` names an affinity head."""

    base, classifies, reads_decoder, finished, multi_scale = None, False, False, True, {}

    def __init__(self, num_classes, folder, reads=(), walk=None):
        super().__init__()
        self.num_classes = num_classes
        self.folder = Path(folder)
        self.reads = tuple(reads)
        self.walk = walk

    def raw(self, features, tags, context):
        del tags
        names = [sample.metainfo['img_path'] for sample in context.data_samples]
        cam = torch.stack([torch.load(self.folder / f'{name}.pt') for name in names])
        if self.walk is not None:
            head, maps = context.head(self.walk), list(features.values())
            small = F.adaptive_avg_pool2d(cam, maps[0].shape[-2:])
            cam = random_walk(small, head.affinity(maps), head.radius, head.border, steps=4)
        return F.interpolate(cam, size=context.image.shape[-2:], mode='bilinear')

    def logits(self, features):
        del features


def config(folder):
    reads = ('layer2', 'layer3', 'layer4')
    stored = dict(type='ToyStoredCAM', num_classes=5, folder=folder)
    return cam_config(
        backbone=dict(strides=(1, 1, 1, 1), norm_eval=True),
        heads=dict(
            affinity=dict(
                type='AffinityHead',
                in_channels=(16, 32, 64),
                channels=(4, 4, 8),
                radius=2,
                reads=reads,
            )
        ),
        labels=dict(pairs=dict(type='AlphaLabels', cams=('stored',), reads='layer4')),
        terms=dict(cls=None, affinity=dict(type='AffinityTerm', labels='pairs')),
    ) | dict(cams=dict(stored=stored, final=dict(stored, reads=reads, walk='affinity')))


def test_trains_and_walks_along_the_affinities(tmp_path):
    inputs, samples = random_batch()
    for index, sample in enumerate(samples):
        sample.set_metainfo(dict(img_path=str(index)))
        torch.save(torch.rand(5, 64, 64), tmp_path / f'{index}.pt')
    segmentor = build(config(str(tmp_path)))
    history = train_two_steps(segmentor, dict(view1=inputs['view1']), samples)
    assert set(history[1]) == {'loss_affinity', 'loss'}
    batch = segmentor.eval().batch(inputs['view1'], samples)
    stored, walked = batch.cams(['stored', 'final'])
    assert torch.equal(stored[1], torch.load(tmp_path / '1.pt'))
    # Every step replaces scores by weighted means of scores.
    assert walked.std() < stored.std()
    assert stored.min() <= walked.min() <= walked.max() <= stored.max()
    prediction = segmentor.predict(inputs['view1'], samples)[1]
    torch.testing.assert_close(prediction.cam.score[0], walked[1, 1])
