"""What remains of a trained segmentor when only its segmentation branch is used."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_plugin.engine.config_types import type_name

_SEGMENTATION_PARTS = ('neck.', 'decode_head.')
_KEPT_MODEL_KEYS = ('data_preprocessor', 'neck', 'decode_head', 'test_cfg')


def deployed_weights(state_dict: Mapping[str, Tensor], half: bool = False) -> dict[str, Tensor]:
    """Keeps the weights of the transformer, the neck and the decode head.

    Args:
        state_dict (Mapping): Weights of a trained segmentor by name.
        half (bool): Whether floating-point weights are stored as float16.

    Returns:
        dict: Weights by the names of an ``EncoderDecoder`` with the same transformer.

    Raises:
        ValueError: If the backbone or the decode head is missing.

    Examples:
        >>> import torch
        >>> weights = {
        ...     'backbone.vit.norm.bias': torch.zeros(1),
        ...     'backbone.cnn.conv1.weight': torch.zeros(1),
        ...     'decode_head.conv_seg.bias': torch.zeros(1),
        ... }
        >>> list(deployed_weights(weights))
        ['backbone.norm.bias', 'decode_head.conv_seg.bias']
    """
    plain_dict = {name.removeprefix('module.'): weight for name, weight in state_dict.items()}
    dual = any(name.startswith('backbone.vit.') for name in plain_dict)
    trunk = 'backbone.vit.' if dual else 'backbone.'
    kept = {}
    for plain, weight in plain_dict.items():
        if plain.startswith((trunk, *_SEGMENTATION_PARTS)):
            name = plain.replace(trunk, 'backbone.', 1) if plain.startswith(trunk) else plain
            shrink = half and weight.is_floating_point()
            kept[name] = weight.half() if shrink else weight
    for part in ('backbone.', 'decode_head.'):
        if not any(name.startswith(part) for name in kept):
            raise ValueError(
                f'expected weights named {part}* in the checkpoint, received '
                f'{list(state_dict)[:3]}...; give a checkpoint that tools/train.py saved'
            )
    return kept


def deployed_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Derives the config of the deployed model from that of the trained one.

    It has no CAM head, so a class prior is left out, with a warning.

    Args:
        model (Mapping): ``model`` of the training's config.

    Returns:
        dict: ``model`` of an ``EncoderDecoder`` that needs no pre-trained weights.
    """
    backbone = dict(model['backbone'])
    backbone = dict(backbone['vit']) if 'vit' in backbone else backbone
    backbone.setdefault('type', 'TimmVisionTransformer')
    for key in ('pretrained', 'init_cfg', 'checkpoint'):
        backbone.pop(key, None)
    deployed: dict[str, Any] = {
        key: copy.deepcopy(dict(model[key]))
        for key in _KEPT_MODEL_KEYS
        if model.get(key) is not None
    }
    deployed.update(type='EncoderDecoder', backbone=backbone, train_cfg={})
    test_cfg = deployed.setdefault('test_cfg', {})
    test_cfg.pop('cam', None)
    if test_cfg.pop('class_prior', None) is not None:
        warnings.warn(
            'test_cfg.class_prior needs a CAM head, and the deployed model has none: it predicts '
            'without; its scores are those of tools/test.py with --cfg-options '
            'model.test_cfg.class_prior=None',
            stacklevel=2,
        )
    test_cfg.setdefault('mode', 'whole')
    preprocessor = deployed.get('data_preprocessor', {})
    if type_name(preprocessor) == 'MultiViewDataPreProcessor':
        preprocessor['type'] = 'SegDataPreProcessor'
    for key in ('neck', 'decode_head'):
        deployed.get(key, {}).pop('init_cfg', None)
    return deployed


def with_toolbox_loader(part: Any) -> Any:
    """Replaces the plugin's image loader by the toolbox's, which its inferencer looks for by name.

    Args:
        part (Any): Part of a config, for example a dataloader or a pipeline.

    Returns:
        Any: A copy in which images are decoded as in training.

    Examples:
        >>> with_toolbox_loader([{'type': 'LoadImageOrRaise'}])
        [{'imdecode_backend': 'pillow', 'type': 'LoadImageFromFile'}]
    """
    if isinstance(part, (list, tuple)):
        return type(part)(with_toolbox_loader(item) for item in part)
    if not isinstance(part, Mapping):
        return part
    copied = {key: with_toolbox_loader(item) for key, item in part.items()}
    if type_name(copied) == 'LoadImageOrRaise':
        return {'imdecode_backend': 'pillow', **copied, 'type': 'LoadImageFromFile'}
    return copied
