"""What the configs of ReCAM and AffinityNet give: rates of each part, modules, networks."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

import wsss_plugin  # noqa: F401  (fills the registries)

CONFIGS = Path(__file__).parents[2] / 'configs'


def _load(name):
    init_default_scope('mmseg')
    return Config.fromfile(CONFIGS / f'{name}.py')


def _rates(config):
    with torch.device('meta'):
        model = MODELS.build(copy.deepcopy(config.model))
    options = copy.deepcopy(config.optim_wrapper)
    settings = {
        'type': options.pop('constructor'),
        'paramwise_cfg': options.pop('paramwise_cfg'),
        'optim_wrapper_cfg': options,
    }
    wrapper = OPTIM_WRAPPER_CONSTRUCTORS.build(settings)(model)
    return {
        name: group['lr']
        for member in wrapper.optim_wrappers.values()
        for group in member.optimizer.param_groups
        for name in group['param_names']
    }


@pytest.mark.parametrize(
    ('name', 'trunk', 'first', 'second'),
    [('recam/voc_cam', 0.1, 1.0, 1.0), ('recam/voc', 5e-5, 5e-5, 5e-4)],
)
def test_recam_learning_rates(name, trunk, first, second):
    rates = _rates(_load(name))
    assert rates['backbone.layer4.0.conv1.weight'] == pytest.approx(trunk)
    assert rates['cams.base.classifier.weight'] == pytest.approx(first)
    assert rates['cams.final.classifier.weight'] == pytest.approx(second)


def test_irn_learning_rates():
    rates = _rates(_load('recam/shapes_irn'))
    assert rates['heads.irn.edge.weight'] == pytest.approx(0.1)
    assert rates['heads.irn.displacement_levels.0.0.weight'] == pytest.approx(1.0)
    assert rates['heads.irn.displacement.weight'] == pytest.approx(1.0)


@pytest.mark.parametrize(
    'name',
    [
        'recam/voc',
        'recam/coco',
        'recam/coco_irn',
        'recam/shapes_irn',
        'affinitynet/voc',
        'affinitynet/voc_animals',
        'affinitynet/voc_r38',
    ],
)
def test_second_runs_start_from_modules_of_the_model(name):
    config = _load(name)
    with torch.device('meta'):
        model = MODELS.build(copy.deepcopy(config.model))
    for path in config.load_part.modules:
        assert model.get_submodule(path)


def test_affinitynet_learning_rates():
    rates = _rates(_load('affinitynet/voc'))
    assert rates['heads.affinity.f9.weight'] == pytest.approx(1.0)
    assert rates['cams.base.classifier.weight'] == pytest.approx(0.1)


def test_affinitynet_on_resnet38():
    config = _load('affinitynet/voc_r38')
    assert config.train_cfg.max_iters == 8 * (10582 // 8)
    head = config.model.heads.affinity
    assert (head.in_channels, head.channels) == ((512, 1024, 4096), (64, 128, 256))
    rates = _rates(config)
    assert rates['heads.affinity.f9.weight'] == pytest.approx(1.0)
    assert rates['backbone.b7.conv_branch2a.weight'] == pytest.approx(0.1)
    assert rates['cams.final.classifier.weight'] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ('name', 'images', 'threshold'), [('voc', 10582, 0.28), ('coco', 82783, 0.25)]
)
def test_irn_of_the_papers(name, images, threshold):
    config = _load(f'recam/{name}_irn')
    walk = config.model.labels.walk
    assert config.train_cfg.max_iters == 3 * images // 32
    assert config.model.heads.irn.radius == 2 * walk.radius == 10
    assert (walk.threshold, walk.beta, walk.steps) == (threshold, 10, 256)


def test_segmentation_network_of_the_paper():
    config = _load('affinitynet/segmentor_voc')
    with torch.device('meta'):
        model = MODELS.build(copy.deepcopy(config.model))
    convolutions = [m for m in model.decode_head.convs.modules() if isinstance(m, torch.nn.Conv2d)]
    shapes = [(conv.in_channels, conv.out_channels, conv.dilation) for conv in convolutions]
    assert shapes == [(4096, 512, (12, 12)), (512, 512, (12, 12))]
    scales = [step.scale_factor for step in config.tta_pipeline[1].transforms[0]]
    assert scales == [0.5, 0.75, 1.0, 1.25, 1.5]


def test_recam_on_the_dual_branch_begins_after_its_base():
    config = _load('recam/dual_shapes')
    starts = {name: term.get('start', 0) for name, term in config.model.terms.items()}
    assert starts['cls'] < starts['consistency'] < starts['softmax']
    for maker in ('pixel', 'token'):
        later = [start for start, names in config.model.labels[maker].cams if 'recam' in names]
        assert later == [900]
        assert later[0] > starts['softmax']
    assert 'cams.recam' in config.optim_wrapper.paramwise_cfg.branches.cnn
