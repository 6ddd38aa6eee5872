"""Configs that mix parts of the plugin with networks of other libraries, made small and trained."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image
from tiny_training import CONFIGS, NARROW_HEAD, NARROW_VIT, changed, train, write_pictures

from wsss_plugin.datasets import VOCTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest

SIDE = 56
NAMES = ('a', 'b')


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    """VOC's layout with two images, of a cat and of a cow and a person, and exported labels."""
    root = tmp_path_factory.mktemp('voc')
    write_pictures(root / 'JPEGImages', [f'{name}.jpg' for name in NAMES])
    for folder in ('Annotations', 'ImageSets/Segmentation', 'labels'):
        (root / folder).mkdir(parents=True)
    for name, tags in zip(NAMES, (('cat',), ('cow', 'person')), strict=True):
        objects = ''.join(f'<object><name>{tag}</name></object>' for tag in tags)
        (root / 'Annotations' / f'{name}.xml').write_text(f'<annotation>{objects}</annotation>')
        label = np.full((80, 72), 8 if name == 'a' else 10, np.uint8)
        label[:40] = 0
        Image.fromarray(label).save(root / 'labels' / f'{name}.png')
    (root / 'ImageSets' / 'Segmentation' / 'train_aug.txt').write_text('a\nb\n')
    classes = list(VOCTagDataset.METAINFO['classes'])
    LabelManifest.write(root / 'labels', dict(classes=classes, images=list(NAMES), ignore=255))
    return root


def small(name, root=None, **changes):
    """The config with narrow networks and small images."""
    config = Config.fromfile(CONFIGS / 'mixing' / f'{name}.py')
    config.model.data_preprocessor.size = (SIDE, SIDE)
    if root is not None:
        config.train_dataloader.dataset.data_root = str(root)
    config.merge_from_dict(changes)
    return config


def frozen(name, root=None):
    """A config of the dual branch whose transformer has timm's class but is narrow."""
    config = small(name, root)
    model = config.model
    patch = MODELS.build(dict(model.backbone.vit, pretrained=False, model_args=NARROW_VIT))
    model.backbone.vit.update(
        pretrained=False,
        model_args=dict(NARROW_VIT, img_size=SIDE, patch_size=patch.patch_size[0]),
    )
    model.backbone.cnn.update(depth=18, base_channels=4, stem_channels=4, init_cfg=None)
    model.backbone.modulation.reduction = 4
    model.decode_head.update(NARROW_HEAD, in_channels=24)
    for source, channels in dict(final=24, aux=24, cnn=32).items():
        model.cams[source].in_channels = channels
    model.labels.pixel.refine.update(dilations=(1, 2), num_iter=2)
    model.multi_scale.scales = (1.0,)
    config.train_dataloader.dataset.pipeline[1].crop_size = SIDE
    return config


def all_finite(losses):
    return all(math.isfinite(value) for step in losses for value in step.values())


@pytest.mark.training
def test_modulation_and_a_cam_head_in_the_toolbox_s_deeplab(voc, tmp_path):
    config = small('deeplabv3plus_modulated_voc', voc)
    model, norm = config.model, dict(type='BN', requires_grad=True)
    model.backbone.update(depth=18, base_channels=4, stem_channels=4, norm_cfg=norm, init_cfg=None)
    model.neck.update(in_channels=[4, 8, 16, 32], reduction=4)
    model.decode_head.update(
        in_channels=32, channels=8, dilations=(1, 2, 3, 4), c1_in_channels=4, c1_channels=4
    )
    model.auxiliary_head[0].update(in_channels=16, channels=4, norm_cfg=norm)
    model.auxiliary_head[1].in_channels = 32
    model.decode_head.norm_cfg = norm
    config.train_dataloader.dataset.label_dir = str(voc / 'labels')
    config.train_dataloader.dataset.pipeline[2].scale = (2 * SIDE, SIDE)
    config.train_dataloader.dataset.pipeline[3].crop_size = (SIDE, SIDE)
    config.custom_hooks = config.custom_hooks[1:]
    trained, before, losses = train(config, tmp_path / 'deeplab')
    assert type(trained).__name__ == 'EncoderDecoder'
    assert 'aux_1.loss_cls' in losses[0]
    assert all_finite(losses)
    parts = changed(trained, before)
    assert {'neck.modulations', 'auxiliary_head.1', 'auxiliary_head.0'} <= parts


@pytest.mark.training
def test_patch_token_contrast_on_a_backbone_of_mmpretrain(voc, tmp_path):
    config = small('deit_small_contrast_voc', voc)
    model = config.model
    arch = dict(embed_dims=24, num_layers=12, num_heads=3, feedforward_channels=48)
    model.backbone.update(arch=arch, img_size=SIDE, patch_size=8, init_cfg=None)
    model.decode_head.update(in_channels=24, channels=8)
    for source in model.cams.values():
        source.in_channels = 24
    model.labels.pixel.refine.update(dilations=(1, 2), num_iter=2)
    model.multi_scale.scales = (1.0,)
    model.thresholds.update(low=0.3, high=0.5)  # so that random CAMs label cells
    config.train_dataloader.dataset.pipeline[1].crop_size = SIDE
    trained, before, losses = train(config, tmp_path / 'deit')
    assert type(trained.backbone).__module__.startswith('mmpretrain.')
    assert {'loss_ptc', 'loss_cls_aux', 'loss_cls_final'} <= losses[0].keys()
    assert losses[0]['loss_ptc'] > 0
    assert all_finite(losses)
    assert {'backbone.layers', 'cams.aux', 'cams.final'} <= changed(trained, before)


@pytest.mark.training
@pytest.mark.parametrize('name', ['frozen_dinov2_voc', 'frozen_clip_voc'])
def test_a_frozen_transformer_stays_as_it_is_and_the_cnn_learns(voc, tmp_path, name):
    trained, before, losses = train(frozen(name, voc), tmp_path / name)
    assert {'loss_consistency_aux', 'loss_consistency_final'} <= losses[0].keys()
    assert not [loss for loss in losses[0] if 'ptc' in loss or 'ctc' in loss]
    assert all_finite(losses)
    parts = changed(trained, before)
    assert 'backbone.cnn' in parts
    assert 'cams.final' in parts
    assert 'backbone.vit' not in parts


@pytest.mark.parametrize(
    ('name', 'width', 'patch', 'activation'),
    [
        ('frozen_dinov2_voc', 384, 14, 'GELU'),
        ('frozen_clip_voc', 768, 16, 'QuickGELU'),
    ],
)
def test_the_frozen_transformers_are_timm_s(name, width, patch, activation):
    init_default_scope('mmseg')
    config = Config.fromfile(CONFIGS / 'mixing' / f'{name}.py')
    with torch.device('meta'):
        model = MODELS.build(config.model)
    vit = model.backbone.vit
    assert (vit.embed_dims, vit.patch_size) == (width, (patch, patch))
    assert type(vit.trunk.blocks[0].mlp.act).__name__ == activation
    assert not any(parameter.requires_grad for parameter in vit.parameters())
    own = vit.trunk.pretrained_cfg
    given = config.model.data_preprocessor
    for key in ('mean', 'std'):
        assert [255 * value for value in own[key]] == pytest.approx(given[key], abs=0.01)


@pytest.mark.parametrize('term', ['ptc', 'ctc'])
def test_no_contrast_can_teach_a_frozen_transformer(term):
    init_default_scope('mmseg')
    config = frozen('frozen_dinov2_voc')
    published = Config.fromfile(CONFIGS / 'dual_branch' / 'voc.py').model
    config.model.labels.update(token=published.labels.token, region=published.labels.region)
    config.model.terms[term] = published.terms[term]
    if term == 'ctc':
        config.model.terms.ctc.projection_head.in_channels = 24
    with pytest.raises(ValueError, match=rf'model\.terms\.{term} to teach a part'):
        MODELS.build(config.model)
