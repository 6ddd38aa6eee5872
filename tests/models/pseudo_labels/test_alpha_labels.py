from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from wsss_plugin.ops import alpha_scores, confident_label


def build(**kwargs):
    init_default_scope('mmseg')
    return MODELS.build(dict(type='AlphaLabels', cams=('final',), **kwargs))


def batch(tags, box=None, size=(16, 24), grid=(4, 6)):
    tags = torch.tensor(tags)
    images = len(tags)
    box = torch.tensor([box or (0, size[0], 0, size[1])]).expand(images, -1)
    features = {'patch': torch.zeros(images, 2, *grid)}
    return SimpleNamespace(
        tags=tags,
        box=box,
        pictures=torch.rand(images, 3, *size),
        main=SimpleNamespace(features=lambda names: {name: features[name] for name in names}),
    )


def test_is_the_label_of_the_cells_means():
    cam = torch.rand(2, 3, 16, 24) * torch.linspace(0, 1, 24)
    tags = [[1, 0, 1], [0, 1, 0]]
    maker = build(low_alpha=1, high_alpha=3)
    label = maker.label(batch(tags), cam, 0, 0)
    low, high = (F.avg_pool2d(alpha_scores(cam, torch.tensor(tags), a), 4) for a in (1, 3))
    assert torch.equal(label, confident_label(low, high))
    assert set(label[1].unique().tolist()) == {0, 2, 255}


def test_outside_of_the_box_is_ignored():
    label = build().label(batch([[1, 1]], box=(0, 8, 4, 24)), torch.rand(1, 2, 16, 24), 0, 0)
    assert (label[0, 2:] == 255).all()
    assert (label[0, :, 0] == 255).all()
    assert (label[0, :2, 1:] != 255).any()


def test_refinement_sees_picture_and_both_scores():
    maker = build(refine=dict(type='PAR', num_iter=0))
    seen = []
    maker.refine.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs))
    inputs = batch([[1, 0]])
    maker.label(inputs, torch.rand(1, 2, 16, 24), 0, 0)
    ((picture, scores),) = seen
    assert picture is inputs.pictures
    assert scores.shape == (1, 6, 16, 24)


def test_reads_the_feature_whose_grid_it_is():
    assert build(reads='conv4').needs(None, None).features == ('conv4',)


@pytest.mark.parametrize('alphas', [(0.5, 4), (8, 4)])
def test_alphas_are_checked(alphas):
    with pytest.raises(ValueError, match='low_alpha <= high_alpha'):
        build(low_alpha=alphas[0], high_alpha=alphas[1])
