import copy
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    LOOPS,
    METRICS,
    MODEL_WRAPPERS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    VISUALIZERS,
)
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)

CONFIGS = Path(__file__).parents[2] / 'configs'
# Chains of stages are no configs of a training.
FILES = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob('*.py')
    if not {'_base_', 'stages'} & {*path.relative_to(CONFIGS).parts}
)
# Stock configs of the toolbox, with its own optimiser, have a test of their own.
STOCK = [name for name in FILES if re.match('(segmentors|mixing)/(segformer|deeplab)', name)]

NO_MODULATION = {'model.backbone.modulation': None}
CHANNEL = {'model.backbone.modulation.spatial': False}
SPATIAL = {'model.backbone.modulation.channel': False}
# By row: what it changes, whether the threshold descends.
ROWS = {
    'table1_dual': (NO_MODULATION, False),
    'table1_dual_threshold': (NO_MODULATION, True),
    'table1_dual_channel': (CHANNEL, False),
    'table1_dual_spatial': (SPATIAL, False),
    'table1_dual_channel_spatial': ({}, False),
    'table1_dual_threshold_channel': (CHANNEL, True),
    'table1_dual_threshold_spatial': (SPATIAL, True),
    'table1_full': ({}, True),
    'table2_l1': ({}, True),
    'table2_l2': ({'model.terms.consistency.loss.norm': 'l2'}, True),
    'table3_th065': ({'custom_hooks.0.end': 0.65}, True),
    'table3_th060': ({'custom_hooks.0.end': 0.60}, True),
    'table3_th055': ({}, True),
    'table3_th050': ({'custom_hooks.0.end': 0.50}, True),
    'table5_parallel': ({'model.backbone.modulation.order': 'parallel'}, True),
    'table5_serial': ({}, True),
}


@cache
def _load(name):
    return Config.fromfile(CONFIGS / name)


_BUILT = {}


def _model(name):
    """The model of a config, without values; configs that differ elsewhere share it."""
    config = _load(name).model
    text = repr(config)
    if text not in _BUILT:
        # SegFormer needs the values of a tensor to be built.
        with torch.device('cpu' if 'segformer' in name else 'meta'):
            _BUILT[text] = MODELS.build(copy.deepcopy(config))
    return _BUILT[text]


def _plain(name):
    return copy.deepcopy(_load(name).to_dict())


def _set(node, key, value):
    *path, last = key.split('.')
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[last] = value


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


@pytest.mark.parametrize('name', [name for name in FILES if name not in STOCK])
def test_model_and_optimiser_can_be_built(name):
    config, model = _load(name), _model(name)
    options = copy.deepcopy(config.optim_wrapper)
    wrapper = OPTIM_WRAPPER_CONSTRUCTORS.build(
        {
            'type': options.pop('constructor'),
            'paramwise_cfg': options.pop('paramwise_cfg', None),
            'optim_wrapper_cfg': options,
        }
    )(model)
    trained = sum(
        len(group['params'])
        for member in wrapper.optim_wrappers.values()
        for group in member.optimizer.param_groups
    )
    assert trained == sum(parameter.requires_grad for parameter in model.parameters())
    assert set(config.param_scheduler) == set(wrapper.keys())
    for schedulers in config.param_scheduler.values():
        assert schedulers
        assert None not in [PARAM_SCHEDULERS.get(scheduler.type) for scheduler in schedulers]


@pytest.mark.parametrize('name', FILES)
def test_everything_else_is_registered_with_valid_arguments(name):
    config = _load(name)
    loaders = [config.train_dataloader, config.test_dataloader]
    loops = [config.train_cfg, config.test_cfg]
    if config.val_dataloader is not None:  # the template validates only where it is told on what
        loaders.append(config.val_dataloader)
        loops.append(config.val_cfg)
        validated, tested = map(METRICS.build, (config.val_evaluator, config.test_evaluator))
        assert validated.protocol.split == tested.protocol.split
    for loader in loaders:
        assert DATASETS.get(loader.dataset.type) is not None
        assert DATA_SAMPLERS.get(loader.sampler.type) is not None
        for transform in loader.dataset.pipeline:
            assert TRANSFORMS.build(transform) is not None
    for transform in config.get('tta_pipeline', []):
        assert TRANSFORMS.build(transform) is not None
    assert config.val_dataloader is not None or name == 'own_data.py'
    assert len([HOOKS.build(hook) for hook in config.custom_hooks]) >= 1
    assert None not in [HOOKS.get(hook.type) for hook in config.default_hooks.values()]
    if 'tta_model' in config:
        assert MODELS.build(dict(config.tta_model, module=_model(name))).module is _model(name)
    assert MODEL_WRAPPERS.get(config.model_wrapper_cfg.type) is not None
    assert VISUALIZERS.get(config.visualizer.type) is not None
    for loop in loops:
        assert LOOPS.get(loop.type) is not None
    assert config.train_cfg.max_iters > 0
    assert config.optim_wrapper.type == 'OptimWrapper'  # no mixed precision unless --amp


@pytest.mark.parametrize(('name', 'processes'), [('voc', 2), ('coco', 4)])
def test_batch_is_the_papers(name, processes):
    for method in ('dual_branch', 'toco'):
        config = _load(f'{method}/{name}.py')
        hooks = {hook.type: hook for hook in config.custom_hooks}
        batch = config.train_dataloader.batch_size * processes
        assert batch == hooks['EffectiveBatchSizeHook'].paper_batch_size


@pytest.mark.parametrize(('name', 'total'), [('dual_vit_r50_voc.py', 20000)])
def test_learning_rates(name, total):
    """ToCo's warm-up and polynomial for the transformer, the polynomial alone for the CNN."""
    config = _load(name)
    rates = {}
    for branch, schedulers in config.param_scheduler.items():
        base = config.optim_wrapper.optimizers[branch].lr
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
        optimizer.step()
        built = [
            PARAM_SCHEDULERS.build(dict(scheduler, optimizer=optimizer)) for scheduler in schedulers
        ]
        rates[branch] = []
        for _ in range(total):
            rates[branch].append(optimizer.param_groups[0]['lr'] / base)
            for scheduler in built:
                scheduler.step()
    t = np.arange(total)
    poly = (1 - t / total) ** 0.9
    warmup = 1 - (1 - t / 1500) * (1 - 1e-6)
    np.testing.assert_allclose(rates['cnn'], poly, rtol=1e-5)
    np.testing.assert_allclose(rates['vit'], np.where(t < 1500, warmup, poly), rtol=1e-5)


def test_long_schedule_drops_to_its_own_polynomial():
    scheduler = _load('dual_vit_r50_coco.py').param_scheduler.vit[1]
    assert scheduler.gamma == pytest.approx((1 - 1500 / 80000) ** 0.9)


def _expected_row(full, changes, descends):
    for key, value in changes.items():
        _set(full, key, value)
    if not descends:
        full['custom_hooks'] = [
            hook for hook in full['custom_hooks'] if hook['type'] != 'CosineThresholdHook'
        ]
    return full


@pytest.mark.parametrize('row', ROWS)
def test_voc_row_differs_from_the_full_method_as_it_says(row):
    changes, descends = ROWS[row]
    expected = _expected_row(_plain('dual_vit_r50_voc.py'), changes, descends)
    assert _plain(f'ablations/voc/{row}.py') == expected


@pytest.mark.parametrize('row', ROWS)
def test_shapes_row_differs_from_the_full_method_as_it_says(row):
    changes, descends = ROWS[row]
    full = _plain('dual_vit_r18_shapes.py')
    if row.startswith('table3'):
        # The shapes have thresholds of their own; a row keeps the paper's distance from th(0).
        drop = 0.7 - int(row[-3:]) / 100
        changes = {'custom_hooks.0.end': round(full['model']['thresholds']['high'] - drop, 6)}
    assert _plain(f'ablations/shapes/{row}.py') == _expected_row(full, changes, descends)


def test_every_row_is_there_and_known():
    for folder, others in (
        ('voc', set()),
        ('shapes', {'toco_shapes', 'cam_r18_shapes', 'supervised_shapes'}),
    ):
        files = {path.stem for path in (CONFIGS / 'ablations' / folder).glob('*.py')}
        assert files == {*ROWS, 'table1_baseline'} | others


def test_baseline_rows_are_toco():
    assert _plain('ablations/voc/table1_baseline.py') == _plain('toco/voc.py')
    shapes = _plain('ablations/shapes/table1_baseline.py')
    assert shapes == _plain('ablations/shapes/toco_shapes.py')


def _without(node, *keys):
    return {key: value for key, value in node.items() if key not in keys}


def test_toco_of_the_shapes_lacks_nothing_but_the_cnn():
    full = _plain('dual_vit_r18_shapes.py')['model']
    toco = _plain('ablations/shapes/toco_shapes.py')['model']
    changed = ('backbone', 'cams', 'labels', 'terms')
    assert _without(toco, *changed) == _without(full, *changed)
    assert toco['backbone'] == full['backbone']['vit']
    assert toco['cams'] == {**full['cams'], 'cnn': None}
    assert toco['terms'] == {**full['terms'], 'consistency': None}
    for name, maker in toco['labels'].items():
        assert _without(maker, 'cams') == _without(full['labels'][name], 'cams')
        assert maker['cams'] == tuple(c for c in full['labels'][name]['cams'] if c != 'cnn')


def test_one_branch_keeps_the_budget_and_its_own_optimiser():
    full = _plain('dual_vit_r18_shapes.py')
    for name, branch in (('toco', 'vit'), ('cam_r18', 'cnn'), ('supervised', 'vit')):
        config = _plain(f'ablations/shapes/{name}_shapes.py')
        optimizers = config['optim_wrapper']['optimizers']
        assert optimizers == {branch: full['optim_wrapper']['optimizers'][branch]}
        assert config['param_scheduler'] == {branch: full['param_scheduler'][branch]}
        assert config['train_cfg'] == full['train_cfg']
        rate = full['optim_wrapper']['paramwise_cfg']['head_lr_mult']
        assert config['optim_wrapper']['paramwise_cfg'] == {'head_lr_mult': rate}
        train, reference = config['train_dataloader'], full['train_dataloader']
        assert _without(train, 'dataset') == _without(reference, 'dataset')
        geometry = [t for t in train['dataset']['pipeline'] if 'Crop' in t['type']]
        assert geometry[0] == reference['dataset']['pipeline'][1]
        for key in ('test_dataloader', 'test_evaluator', 'val_dataloader', 'randomness'):
            assert config[key] == full[key]


def test_supervised_network_is_that_of_the_method():
    full, config = _plain('dual_vit_r18_shapes.py'), _plain('ablations/shapes/supervised_shapes.py')
    assert config['train_dataloader']['dataset']['load_masks']
    assert not full['train_dataloader']['dataset'].get('load_masks', False)
    assert config['model']['backbone'] == full['model']['backbone']['vit']
    assert config['model']['decode_head'] == full['model']['decode_head']
    assert config['model']['decode_reads'] == full['model']['decode_reads']


@pytest.mark.parametrize(
    ('name', 'full'),
    [
        ('ablations/shapes/cam_r18_shapes.py', 'dual_vit_r18_shapes.py'),
        ('cam/voc.py', 'dual_vit_r50_voc.py'),
    ],
)
def test_cam_network_is_the_methods_cnn_without_modulation(name, full):
    model, reference = _plain(name)['model'], _plain(full)['model']
    assert model['backbone'] == reference['backbone']['cnn']
    assert model['cams']['final']['reads'] == 'out.-1'
    assert _without(model['cams']['final'], 'reads', 'num_classes') == _without(
        reference['cams']['cnn'], 'reads'
    )
    assert model['cams']['final']['num_classes'] == reference['decode_head']['num_classes'] - 1
    assert model['multi_scale'] == reference['multi_scale']
    assert model['terms'] == {'cls': reference['terms']['cls']}
    pipeline = _plain(name)['train_dataloader']['dataset']['pipeline']
    assert pipeline[1] == _plain(full)['train_dataloader']['dataset']['pipeline'][1]


@pytest.fixture
def voc_root(tmp_path):
    """One image of VOC's layout, 60 pixels high and 88 wide."""
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    picture = rng.integers(0, 256, (60, 88, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / 'JPEGImages' / 'a.jpg')
    mask = Image.fromarray(np.full((60, 88), 8, np.uint8))
    mask.save(tmp_path / 'SegmentationClass' / 'a.png')
    xml = '<annotation><object><name>cat</name></object></annotation>'
    (tmp_path / 'Annotations' / 'a.xml').write_text(xml)
    for name in ('train_aug', 'val'):
        (tmp_path / 'ImageSets' / 'Segmentation' / f'{name}.txt').write_text('a\n')
    return tmp_path


def _sample(loader, root, **changes):
    return DATASETS.build(dict(loader['dataset'], data_root=str(root), **changes))[0]


def test_voc_pipelines_run(voc_root):
    config = _plain('dual_vit_r50_voc.py')
    train = _sample(config['train_dataloader'], voc_root)
    assert {name: tuple(view.shape) for name, view in train['inputs'].items()} == dict.fromkeys(
        ('view1', 'local', 'view2'), (3, 448, 448)
    )
    assert train['data_samples'].gt_tags.nonzero().flatten().tolist() == [7]
    assert 'gt_sem_seg' not in train['data_samples']
    sizes = {'val_dataloader': (448, 448), 'test_dataloader': (60, 88)}
    for loader, size in sizes.items():
        sample = _sample(config[loader], voc_root)
        assert sample['inputs'].shape[1:] == size
        assert sample['data_samples'].gt_sem_seg.shape == (60, 88)


@pytest.mark.parametrize(
    ('name', 'sizes'),
    [
        ('dual_vit_r50_voc.py', [(60, 88), (75, 110), (90, 132)]),
        ('dual_vit_r50_coco.py', [(448, 448), (560, 560), (672, 672)]),
    ],
)
def test_multi_scale_test_makes_tocos_sizes(name, sizes, voc_root):
    loader = _plain('dual_vit_r50_voc.py')['test_dataloader']
    sample = _sample(loader, voc_root, pipeline=_plain(name)['tta_pipeline'])
    received = [tuple(image.shape[1:]) for image in sample['inputs']]
    assert received == [size for size in sizes for _ in range(2)]
    assert [data.flip for data in sample['data_samples']] == [False, True] * 3
    shapes = [tuple(data.gt_sem_seg.shape) for data in sample['data_samples']]
    assert shapes == [(60, 88)] * len(received)


@pytest.mark.parametrize('name', FILES)
def test_a_published_model_predicts_as_it_was_scored(name):
    """MMSegmentation's ``inference_model`` reads ``test_pipeline``."""
    config = _load(name)
    assert config.test_pipeline == config.test_dataloader.dataset.pipeline


def test_coco_resizes_before_testing(voc_root):
    config = _plain('dual_vit_r50_coco.py')
    for loader in ('val_dataloader', 'test_dataloader'):
        pipeline = Compose([TRANSFORMS.build(t) for t in config[loader]['dataset']['pipeline'][:2]])
        image = pipeline({'img_path': str(voc_root / 'JPEGImages' / 'a.jpg')})['img']
        assert image.shape == (448, 448, 3)
        assert config[loader]['dataset']['data_prefix']['seg_map_path'] == 'masks/val2014'
    assert config['val_dataloader']['dataset']['indices'] == 5000
    assert 'indices' not in config['test_dataloader']['dataset']
