"""Second stages on labels in files: stock networks of the toolbox, each beside full supervision."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from mmseg.structures import SegDataSample
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import VOCTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.engine.unreached_parameters import unreached_parameters

CONFIGS = Path(__file__).parents[2] / 'configs'
STAGES = sorted(path.stem for path in (CONFIGS / 'segmentors').glob('*.py'))
# Those of full supervision have the same model.
TOOLBOX = [name for name in STAGES if not re.search('^deit|supervised$', name)]
SMALL = [name for name in TOOLBOX if not name.endswith('_voc')]


def _load(name):
    init_default_scope('mmseg')
    return Config.fromfile(CONFIGS / f'{name}.py')


def _stage(name):
    return _load(f'segmentors/{name}')


def _without_weights(model):
    model = copy.deepcopy(model)
    model.backbone.init_cfg = None
    return model


@pytest.mark.parametrize('name', TOOLBOX)
def test_the_toolbox_s_own_segmentor_and_optimiser(name):
    config = _stage(name)
    # The toolbox's MixVisionTransformer reads values while it is built.
    with torch.device('cpu' if 'segformer' in name else 'meta'):
        model = MODELS.build(_without_weights(config.model))
    assert type(model) is MODELS.get('EncoderDecoder')
    optimizer = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper)).optimizer
    trained = sum(len(group['params']) for group in optimizer.param_groups)
    assert trained == sum(parameter.requires_grad for parameter in model.parameters())
    assert all(PARAM_SCHEDULERS.get(step.type) for step in config.param_scheduler)
    assert config.param_scheduler[-1].end == config.train_cfg.max_iters
    heads = [config.model.decode_head, *[config.model.get('auxiliary_head') or []]]
    classes = {head['num_classes'] for head in heads if head}
    foreground = DATASETS.get(config.train_dataloader.dataset.type).METAINFO.get('classes')
    names = config.train_dataloader.dataset.get('metainfo', {}).get('classes') or foreground
    assert classes == {len(names)}


@pytest.mark.parametrize('name', TOOLBOX)
def test_full_supervision_beside_it_differs_in_the_labels_only(name):
    config, full = _stage(name).to_dict(), _stage(f'{name}_supervised').to_dict()
    data, masks = (one['train_dataloader']['dataset'] for one in (config, full))
    assert data['label_dir']
    assert masks['load_masks']
    assert masks['label_dir'] is None
    for one in (data, masks):
        one.pop('label_dir')
        one.pop('load_masks', None)
    assert config == full


def test_the_transformer_on_labels_is_that_of_full_supervision():
    config, full = _stage('deit_tiny_voc_animals'), _load('voc_animals/supervised')
    assert config.model.labels.stored.type == 'StoredLabels'
    assert config.train_dataloader.dataset.label_dir
    config.model.labels = full.model.labels
    config.model.terms.seg.labels = 'true'
    config.train_dataloader.dataset.pop('label_dir')
    config.train_dataloader.dataset.load_masks = True
    config.custom_hooks = config.custom_hooks[1:]
    assert config.to_dict() == full.to_dict()


@pytest.mark.parametrize('name', STAGES)
def test_each_warns_of_too_little_foreground(name):
    assert _stage(name).custom_hooks[0].type == 'UnderPredictionHook'


@pytest.mark.parametrize(
    ('name', 'row'),
    [
        ('segformer_b0_shapes', 'ablations/shapes/supervised_shapes'),
        ('deeplabv3plus_shapes', 'ablations/shapes/supervised_shapes'),
        ('deeplabv3plus_mobilenet_voc_animals', 'voc_animals/supervised'),
    ],
)
def test_budget_and_test_are_those_of_the_single_stages(name, row):
    config, other = _stage(name), _load(row)
    assert config.train_cfg.max_iters == other.train_cfg.max_iters
    assert config.train_dataloader.batch_size == other.train_dataloader.batch_size
    for key in ('test_dataloader', 'test_evaluator'):
        assert config[key] == other[key]


@pytest.mark.parametrize('name', SMALL)
def test_every_parameter_learns(name):
    config = _stage(name)
    torch.manual_seed(0)
    model = MODELS.build(_without_weights(config.model)).train()
    size = config.model.data_preprocessor.size[0]
    samples = []
    for _ in range(2):
        sample = SegDataSample(metainfo=dict(img_shape=(size, size)))
        sample.gt_sem_seg = PixelData(data=torch.randint(0, 7, (1, size, size)))
        samples.append(sample)
    model.parse_losses(model.loss(torch.randn(2, 3, size, size), samples))[0].backward()
    assert unreached_parameters(model, iteration=0) == {}


def test_numbers_of_deeplab_v2():
    config = _stage('deeplabv2_r101_voc')
    head, optimizer = config.model.decode_head, config.optim_wrapper.optimizer
    assert (head.type, head.rates) == ('DeepLabV2Head', (6, 12, 18, 24))
    assert config.model.backbone.depth == 101
    assert optimizer == dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4)
    assert config.optim_wrapper.paramwise_cfg.custom_keys.decode_head.lr_mult == 10
    assert (config.train_cfg.max_iters, config.train_dataloader.batch_size) == (20000, 10)
    (poly,) = config.param_scheduler
    assert (poly.power, poly.eta_min, poly.end) == (0.9, 0, 20000)
    assert config.train_pipeline[3].crop_size == (321, 321)


def test_deeplab_v2_s_head_learns_ten_times_as_fast():
    config = _stage('deeplabv2_r101_voc')
    with torch.device('meta'):
        model = MODELS.build(_without_weights(config.model))
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    rates = {
        names[id(parameter)].split('.')[0]: group['lr']
        for group in wrapper.optimizer.param_groups
        for parameter in group['params']
    }
    assert rates == {'backbone': pytest.approx(2.5e-4), 'decode_head': pytest.approx(2.5e-3)}


@pytest.fixture
def voc_root(tmp_path):
    """One image of VOC's layout, its true mask a cow, its exported label a cat."""
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation'):
        (tmp_path / folder).mkdir(parents=True)
    picture = rng.integers(0, 256, (60, 88, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / 'JPEGImages' / 'a.jpg')
    xml = '<annotation><object><name>cat</name></object></annotation>'
    (tmp_path / 'Annotations' / 'a.xml').write_text(xml)
    (tmp_path / 'ImageSets' / 'Segmentation' / 'train_aug.txt').write_text('a\n')
    labels = tmp_path / 'labels'
    labels.mkdir()
    label = np.full((60, 88), 8, np.uint8)
    Image.fromarray(label).save(labels / 'a.png')
    label[:] = 10
    Image.fromarray(label).save(tmp_path / 'SegmentationClass' / 'a.png')
    content = dict(classes=list(VOCTagDataset.METAINFO['classes']), images=['a'], ignore=255)
    LabelManifest.write(labels, content)
    return tmp_path


@pytest.mark.parametrize(
    'name',
    [
        'segmentors/segformer_b0_voc',
        'segmentors/deeplabv2_r101_voc',
        'affinitynet/segmentor_voc',
    ],
)
def test_labels_of_the_folder_reach_the_training(name, voc_root):
    config = _load(name)
    dataset = dict(config.train_dataloader.dataset, data_root=str(voc_root))
    sample = DATASETS.build(dict(dataset, label_dir=str(voc_root / 'labels')))[0]
    found = set(sample['data_samples'].gt_sem_seg.data.unique().tolist())
    assert 8 in found
    assert found <= {8, 255}


def test_full_supervision_reads_the_masks(voc_root):
    dataset = dict(
        _stage('segformer_b0_voc_supervised').train_dataloader.dataset, data_root=str(voc_root)
    )
    with pytest.warns(UserWarning, match='cow'):
        sample = DATASETS.build(dataset)[0]
    assert 10 in sample['data_samples'].gt_sem_seg.data
