"""The tiny ClusterCAM and MCTformer networks of the reference, with weights by a formula."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.backbones import ClusterVisionTransformer

CLASSES = 5
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_ORDINARY = ('norm1.weight', 'norm1.bias', 'attn.qkv.weight', 'attn.qkv.bias')
_ORDINARY = (*_ORDINARY, 'attn.proj.weight', 'attn.proj.bias')
_CLUSTER = ('class_norm', 'patch_norm', 'centre_norm', 'patch_proj', 'qkv', 'class_proj')
_MLP = ('norm2', 'mlp.fc1', 'mlp.fc2')


def with_bias(names: Iterable[str]) -> list[str]:
    """Names of weight and bias of modules."""
    return [f'{name}.{part}' for name in names for part in ('weight', 'bias')]


def formula_weights(shapes: Mapping[str, torch.Size | None]) -> dict[str, Tensor]:
    """Weights by the formula of the reference files, in the order of the names.

    A shape of None stands for an entry that the network here lacks.
    """
    weights = {}
    for place, (name, shape) in enumerate(shapes.items(), start=1):
        if shape is None:
            continue
        index = torch.arange(math.prod(shape), dtype=torch.float64)
        wave = (0.7 * place + 0.37 * index + (1e-4 * index * index) % 6).sin().view(shape)
        if len(shape) == 1:
            weights[name] = (1 + 0.2 * wave if name.endswith('weight') else 0.05 * wave).float()
        else:
            weights[name] = (wave * math.prod(shape[1:]) ** -0.5).float()
    return weights


def set_formula_weights(model: nn.Module, names: Iterable[str], missing: Iterable[str]) -> None:
    """Gives a model the weights of the formula; names in the order of the reference."""
    own = {name: value.shape for name, value in model.state_dict().items()}
    shapes = {name: None if name in set(missing) else own.pop(name) for name in names}
    weights = formula_weights(shapes)
    for name in own:
        raise AssertionError(f'no weight by the formula for {name}')
    for name in weights:
        if name.endswith('cluster.mix'):
            weights[name] = torch.tensor([0.4])
    model.load_state_dict(weights)


def tiny_backbone(steps: int, width: int, depth: int, heads: int, **kwargs: Any) -> dict:
    """Config of a tiny backbone for images of 64 pixels."""
    return dict(
        type='ClusterVisionTransformer',
        model_name='vit_tiny_patch16_224',
        num_classes=CLASSES,
        steps=steps,
        model_args=dict(img_size=64, embed_dim=width, depth=depth, num_heads=heads),
        **kwargs,
    )


def block_names(index: int, clusters: bool) -> list[str]:
    """Names of a block's weights in the order of the reference."""
    cluster = ['cluster.mix', *_ORDINARY, *with_bias(f'cluster.{part}' for part in _CLUSTER)]
    names = (cluster if clusters else [*_ORDINARY]) + with_bias(_MLP)
    return [f'backbone.trunk.blocks.{index}.{name}' for name in names]


def network_names(depth: int, clusters: bool) -> list[str]:
    """Names of a network's weights in the order of the reference."""
    names = ['cls_token', 'pos_embed', 'patch_embed.proj.weight', 'patch_embed.proj.bias']
    names = [f'backbone.trunk.{name}' for name in names]
    for index in range(depth):
        names += block_names(index, clusters)
    return [*names, 'norm.weight', 'norm.bias', *with_bias(['cams.final.classifier'])]


def segmentor(config: dict) -> Any:
    """A built segmentor in evaluation."""
    init_default_scope('mmseg')
    return MODELS.build(config).eval()


def cluster_config(**changes: Any) -> dict:
    """Config of the tiny ClusterCAM network of the reference."""
    width, maps = 48, 12 * 6 * CLASSES
    return (
        dict(
            type='WeakSegmentor',
            data_preprocessor=dict(type='MultiViewDataPreProcessor', mean=MEAN, std=STD),
            backbone=tiny_backbone(steps=3, width=width, depth=12, heads=6),
            decode_head=dict(
                type='LargeFOVHead',
                in_channels=(width, maps),
                in_index=(0, 1),
                input_transform='resize_concat',
                channels=512,
                num_classes=CLASSES + 1,
            ),
            decode_reads=('patch', 'class_to_patch'),
            cams=dict(
                final=dict(
                    type='AttentionCAMHead',
                    in_channels=width + maps,
                    reads=('patch', 'class_to_patch'),
                    bias_in_cam=False,
                )
            ),
            terms=dict(
                cls=dict(type='ClassificationTerm'),
                tokens=dict(type='ClassificationTerm', reads='class_tokens'),
            ),
            multi_scale=dict(scales=(1.0, 0.75, 1.25)),
        )
        | changes
    )


def cluster_network() -> Any:
    """The tiny ClusterCAM network with the weights of the reference."""
    model = segmentor(cluster_config())
    decoder = [f'decode_head.{name}.weight' for name in ('convs.0', 'convs.2', 'conv_seg')]
    names = [*network_names(depth=12, clusters=True), *decoder]
    set_formula_weights(model, names, missing=('norm.weight', 'norm.bias'))
    return model


def mctformer_config(**changes: Any) -> dict:
    """Config of the tiny MCTformer-V2 network of the reference."""
    return (
        dict(
            type='WeakSegmentor',
            data_preprocessor=dict(type='MultiViewDataPreProcessor', mean=MEAN, std=STD),
            backbone=tiny_backbone(steps=0, width=24, depth=5, heads=3),
            cams=dict(final=dict(type='AttentionCAMHead', in_channels=24, num_classes=CLASSES)),
            terms=dict(
                cls=dict(type='ClassificationTerm'),
                tokens=dict(type='ClassificationTerm', reads='class_tokens'),
            ),
            multi_scale=dict(scales=(1.0,), flip='sum', eps=1e-8),
        )
        | changes
    )


def mctformer_network(**changes: Any) -> Any:
    """The tiny MCTformer-V2 network with the weights of the reference."""
    model = segmentor(mctformer_config(**changes))
    names = network_names(depth=5, clusters=False)
    set_formula_weights(model, names, missing=('norm.weight', 'norm.bias'))
    return model


def backbone_of(model: Any) -> ClusterVisionTransformer:
    """The backbone of a segmentor."""
    return model.backbone
