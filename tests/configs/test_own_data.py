"""The template for own data, and what follows from its lines."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS, OPTIM_WRAPPER_CONSTRUCTORS

from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.config_reading.training_steps import check_schedules, check_steps

CONFIGS = Path(__file__).parents[2] / 'configs'
TEMPLATE = CONFIGS / 'own_data.py'
# The config that the numbers of a backbone are from, and what it says at the top.
SOURCES = {
    'scratch': ('dual_vit_r18_shapes.py', dict(image_size=96, max_iters=1500, batch_size=8)),
    'small': ('voc_animals/best_without_prior.py', dict(image_size=224, max_iters=1000)),
    'base': ('dual_branch/voc.py', dict(image_size=448, max_iters=20000)),
}


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


def _same(given, own, key='model'):
    """Pairs of leaves that differ, by key; a start of 0 and no start are the same."""
    if isinstance(given, dict) and isinstance(own, dict):
        for name in sorted({*given, *own}):
            yield from _same(given.get(name), own.get(name), f'{key}.{name}')
    elif given != own:
        yield key, given, own


@pytest.mark.parametrize('backbone', SOURCES)
def test_its_models_are_those_that_were_measured(backbone):
    name, values = SOURCES[backbone]
    source = Config.fromfile(CONFIGS / name)
    classes = ('background', *map(str, range(source.model.decode_head.num_classes - 1)))
    config = read_config(TEMPLATE, dict(values, backbone=backbone, classes=classes))
    length = values['max_iters']
    usual = {'num_classes': len(classes) - 1, 'idle': 'skip', 'reduction': 16, 'detach': 'none'}
    usual |= {'init_cfg': None, 'foreground_weight': 0.5, 'start': 0}
    for key, given, own in _same(source.model.to_dict(), config.model.to_dict()):
        last = key.rpartition('.')[2]
        if last in ('pretrained', 'checkpoint'):
            continue
        if last == 'start' and given is not None:
            assert own == pytest.approx(given / length, abs=1e-4)
        elif last == 'cams':
            assert own == tuple((start / length, names) for start, names in given)
        else:
            assert (given, own) == (None, usual[last]), key
    assert config.optim_wrapper.optimizers == source.optim_wrapper.optimizers
    assert config.param_scheduler.cnn == source.param_scheduler.cnn
    assert config.param_scheduler.vit[0] == source.param_scheduler.vit[0]
    assert config.tta_pipeline[-1] == source.tta_pipeline[-1]


@pytest.mark.parametrize('backbone', ['scratch', 'small'])
def test_a_config_says_each_thing_once(backbone, tmp_path):
    file = tmp_path / 'own.py'
    file.write_text(
        f'_base_ = {str(TEMPLATE)!r}\nclasses = ("background", "a", "b", "c")\n'
        f'backbone = {backbone!r}\nimage_size = 64\nmax_iters = 400\nval_list = "val.txt"\n'
        'tags = "tags.json"\nvit_weights = "vit.pth"\ncnn_weights = "cnn.pth"\n'
    )
    config = read_config(file)
    check_steps(config)
    check_schedules(config)
    assert config.model.test_cfg.get('class_prior') is None
    assert config.train_cfg.max_iters == config.param_scheduler.cnn[0].end - 1 == 400
    assert config.default_hooks.checkpoint.interval == 40
    assert config.train_dataloader.dataset.ann_file == 'tags.json'
    assert config.val_dataloader.dataset.list_file == 'val.txt'
    assert config.train_pipeline[1].crop_size == config.test_pipeline[1].scale[0] == 64
    if backbone == 'small':
        backbones = config.model.backbone
        assert (backbones.vit.pretrained, backbones.cnn.init_cfg.checkpoint) == (
            'vit.pth',
            'cnn.pth',
        )
    config = read_config(file, {'vit_weights': False, 'cnn_weights': False, 'val_list': None})
    assert config.val_dataloader is None
    with torch.device('meta'):
        model = MODELS.build(config.model)
    assert (model.decode_head.num_classes, model.num_foreground) == (4, 3)
    options = config.optim_wrapper.copy()
    OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=options.pop('constructor'),
            paramwise_cfg=options.pop('paramwise_cfg'),
            optim_wrapper_cfg=options,
        )
    )(model)
    assert [HOOKS.build(hook) for hook in config.custom_hooks]
    with pytest.raises(ValueError, match=r'backbone: expected one of .*received .huge'):
        read_config(file, {'backbone': 'huge'})


@pytest.mark.parametrize(
    'name',
    [
        'own_data.py',
        'toco/voc.py',
        'toco/coco.py',
        'dual_branch/coco.py',
        'cam/voc.py',
        'recam/voc.py',
        'clustercam/coco.py',
        'dupl/voc.py',
        'mctformer/voc.py',
        'affinitynet/voc.py',
        'dual_vit_r18_shapes.py',
        'best_voc_animals.py',
        'segmentors/segformer_b0_voc.py',
    ],
)
def test_the_length_of_every_training_moves_its_steps(name):
    file = CONFIGS / name
    check_steps(read_config(file))
    config = read_config(file, {'max_iters': 200})
    check_steps(config)
    check_schedules(config)
    assert config.train_cfg.max_iters == 200
    given = config.param_scheduler
    branches = given.values() if isinstance(given, dict) else [given]
    assert {branch[-1]['end'] for branch in branches} <= {200, 201}
