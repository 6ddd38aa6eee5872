"""In every phase of a training each parameter that should learn has a gradient, in bfloat16 too."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.unreached_parameters import unreached_parameters

CONFIGS = Path(__file__).parents[2] / 'configs'
# One of each kind; the others differ from these in numbers.
NAMES = [
    'ablations/shapes/cam_r18_shapes',
    'ablations/shapes/supervised_shapes',
    'ablations/shapes/toco_shapes',
    'best_voc_animals',
    'dual_vit_r18_shapes',
    'voc_animals/all',
]
SIZE, CROP = 64, 32


def small(node):
    """The same config without pretrained weights and with crops that fit a small image."""
    if isinstance(node, dict):
        changed = {key: small(value) for key, value in node.items() if key != 'init_cfg'}
        if changed.get('pretrained'):
            changed['pretrained'] = False
        if 'local_crops' in changed:
            changed['local_crops'] = dict(num=2, size=CROP, positive_threshold=0.2)
        return changed
    return [small(value) for value in node] if isinstance(node, list) else node


def data(classes, views):
    generator = torch.Generator().manual_seed(0)
    names = sorted({'view1', *views})
    inputs = {name: torch.randn(2, 3, SIZE, SIZE, generator=generator) for name in names}
    samples = []
    for index in range(2):
        sample = SegDataSample(metainfo=dict(box=(0, SIZE, 0, SIZE), sample_seed=index))
        sample.gt_tags = torch.zeros(classes)
        sample.gt_tags[index : index + 2] = 1
        mask = torch.randint(classes + 1, (1, SIZE, SIZE), generator=generator)
        sample.gt_sem_seg = PixelData(data=mask)
        samples.append(sample)
    return inputs, samples


@pytest.mark.parametrize('half', [False, True], ids=['float32', 'bfloat16'])
@pytest.mark.parametrize('name', NAMES)
def test_every_parameter_learns(name, half):
    init_default_scope('mmseg')
    config = Config.fromfile(CONFIGS / f'{name}.py').to_dict()
    model = MODELS.build(small(copy.deepcopy(config['model']))).train()
    inputs, samples = data(model.num_foreground, model.views)
    hub, max_iters = MessageHub.get_current_instance(), config['train_cfg']['max_iters']
    for start in model.phases(max_iters):
        hub.update_info('iter', start)
        hub.update_info('max_iters', max_iters)
        model.zero_grad(set_to_none=True)
        with torch.autocast('cpu', torch.bfloat16, enabled=half):
            losses = model.loss(inputs, samples)
        model.parse_losses(losses)[0].backward()
        assert unreached_parameters(model, iteration=start) == {}


def test_a_parameter_without_loss_is_found():
    config = Config.fromfile(CONFIGS / 'ablations/shapes/toco_shapes.py').to_dict()
    model = small(config['model'])
    model['cams']['idle'] = dict(model['cams']['final'])
    model['terms']['cls']['cams'] = ('final', 'aux')
    model['labels']['pixel']['cams'] = ('final', 'idle')
    model = MODELS.build(model).train()
    hub = MessageHub.get_current_instance()
    hub.update_info('iter', 600)
    hub.update_info('max_iters', 1500)
    model.parse_losses(model.loss(*data(6, model.views)))[0].backward()
    assert list(unreached_parameters(model, iteration=600)) == ['cams.idle.classifier.weight']
