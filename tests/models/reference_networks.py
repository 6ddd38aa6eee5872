"""Tiny segmentors, and the reference's weights in them."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
WIDTH, CLASSES = 24, 5
SMALL_CROPS = dict(terms=dict(ctc=dict(local_crops=dict(size=32))))


def merged(base: Any, changes: Any) -> Any:
    """A config with changes, dict by dict."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return copy.deepcopy(changes)
    result = copy.deepcopy(base)
    for key, value in changes.items():
        result[key] = merged(result.get(key), value)
    return result


def tiny_config(**changes: Any) -> dict:
    """Config of the reference's tiny ToCo network."""
    head = dict(type='CAMHead', in_channels=WIDTH, pooling='max')
    config = dict(
        type='WeakSegmentor',
        data_preprocessor=dict(type='MultiViewDataPreProcessor', mean=MEAN, std=STD),
        backbone=dict(
            type='TimmVisionTransformer',
            model_name='vit_tiny_patch16_224',
            model_args=dict(img_size=64, embed_dim=WIDTH, depth=12, num_heads=3),
        ),
        decode_head=dict(
            type='LargeFOVHead', in_channels=WIDTH, channels=512, num_classes=CLASSES + 1
        ),
        decode_reads='patch',
        cams=dict(final=dict(head, reads='patch'), aux=dict(head, reads='inner.9')),
        thresholds=dict(low=0.25, high=0.7),
        labels=dict(
            pixel=dict(type='PixelLabels', cams=('final',), refine=dict(type='PAR')),
            token=dict(type='TokenLabels', cams=('aux',)),
            region=dict(type='RegionMask', cams=('aux',)),
        ),
        terms=dict(
            cls=dict(type='ClassificationTerm'),
            ptc=dict(type='PatchTokenContrastTerm', labels='token', weight=0.2),
            ctc=dict(
                type='ClassTokenContrastTerm',
                labels='region',
                projection_head=dict(
                    type='ProjectionHead',
                    in_channels=WIDTH,
                    hidden_channels=40,
                    bottleneck_channels=16,
                    out_channels=32,
                ),
                local_crops=dict(num=8, size=96, positive_threshold=0.2),
                weight=0.5,
            ),
            seg=dict(type='SegmentationTerm', labels='pixel', weight=0.1),
        ),
        test_cfg=dict(mode='whole', cam=True),
    )
    return merged(config, changes)


def small_config(**changes: Any) -> dict:
    """The tiny ToCo network with crops that fit an image of 64 pixels."""
    return tiny_config(**merged(SMALL_CROPS, changes))


def dual_config(**changes: Any) -> dict:
    """Config of a tiny dual-branch network, with crops that fit an image of 64 pixels."""
    config = small_config()
    config['backbone'] = dict(
        type='DualBranchBackbone',
        vit=config['backbone'],
        cnn=dict(type='ResNet', depth=18, base_channels=8, strides=(1, 2, 2, 1)),
        modulation=dict(type='ActivationModulation', reduction=4),
    )
    config['decode_head'] = dict(
        type='ConvMLPHead',
        in_channels=WIDTH,
        embed_channels=16,
        hidden_channels=16,
        channels=16,
        num_classes=CLASSES + 1,
    )
    config['cams']['cnn'] = dict(type='CAMHead', reads='cnn', in_channels=64, pooling='avg')
    config['terms']['consistency'] = dict(
        type='ConsistencyTerm',
        pairs=(('aux', 'cnn'), ('final', 'cnn')),
        loss=dict(type='SemanticConsistencyLoss'),
        weight=0.1,
    )
    return merged(config, changes)


def cam_config(**changes: Any) -> dict:
    """Config of a tiny CNN with a CAM and no decode head."""
    config = dict(
        type='WeakSegmentor',
        backbone=dict(type='ResNet', depth=18, base_channels=8),
        cams=dict(
            final=dict(
                type='CAMHead',
                reads='out.-1',
                in_channels=64,
                num_classes=CLASSES,
                pooling='avg',
            )
        ),
        terms=dict(cls=dict(type='ClassificationTerm')),
    )
    return merged(config, changes)


def build(config: dict) -> nn.Module:
    """Builds a model under MMSegmentation's scope."""
    init_default_scope('mmseg')
    return MODELS.build(config)


def load_projection(head: nn.Module, arrays: dict[str, torch.Tensor], prefix: str) -> None:
    """Fills a projection head with weights under the older names of weight normalisation."""
    gain, direction = (f'directions.parametrizations.weight.original{i}' for i in (0, 1))
    state = {}
    for key, value in arrays.items():
        if key.startswith(prefix):
            name = key.removeprefix(prefix).replace('last_layer.weight_g', gain)
            state[name.replace('last_layer.weight_v', direction)] = value
    head.load_state_dict(state)


def load_decoder_formula(head: nn.Module) -> None:
    """Fills a LargeFOVHead with the reference's formula weights."""
    for index, layer in enumerate((head.convs[0], head.convs[2], head.conv_seg)):
        j = torch.arange(1, layer.weight.numel() + 1, dtype=torch.float64)
        weight = (0.05 * torch.sin((0.1 + 0.013 * index) * j)).float()
        layer.weight.data = weight.view_as(layer.weight)


def load_toco(segmentor: nn.Module, arrays: dict[str, torch.Tensor]) -> None:
    """Fills the tiny ToCo network with the reference's weights."""
    encoder = 'w.encoder.'
    state = {
        key.removeprefix(encoder): value
        for key, value in arrays.items()
        if key.startswith(encoder) and not key.startswith(encoder + 'head')
    }
    segmentor.backbone.trunk.load_state_dict(state)
    for name, key in (('final', 'w.classifier.weight'), ('aux', 'w.aux_classifier.weight')):
        segmentor.cams[name].classifier.load_state_dict({'weight': arrays[key]})
    ctc = segmentor.terms['ctc']
    load_projection(ctc.projection_head, arrays, 'w.proj_head.')
    load_projection(ctc.teacher.module, arrays, 'w.proj_head_t.')
    # A teacher with weights of its own is one that has been updated before.
    ctc.teacher.steps += 1
    load_decoder_formula(segmentor.decode_head)


def random_batch(
    size: int = 64, images: int = 2, seed: int = 0
) -> tuple[dict[str, torch.Tensor], list[SegDataSample]]:
    """Views and samples of random images with one tag each."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {
        name: torch.randn(images, 3, size, size, generator=generator)
        for name in ('view1', 'view2', 'local')
    }
    samples = []
    for index in range(images):
        sample = SegDataSample(
            metainfo=dict(
                box=(0, size, 0, size),
                sample_seed=index,
                ori_shape=(size, size),
                img_shape=(size, size),
            )
        )
        sample.gt_tags = torch.zeros(5)
        sample.gt_tags[index % 5] = 1
        samples.append(sample)
    return inputs, samples


def train_two_steps(
    model: nn.Module, inputs: dict[str, torch.Tensor], samples: list[SegDataSample]
) -> list[dict[str, torch.Tensor]]:
    """Two steps of gradient descent; every step must change what is trained and stay finite."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=1e-2)
    history = []
    for _ in range(2):
        before = [parameter.detach().clone() for parameter in trained]
        total, log = model.parse_losses(model.loss(inputs, samples))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        assert torch.isfinite(total)
        assert any(not torch.equal(*pair) for pair in zip(before, trained, strict=True))
        history.append(log)
    return history
