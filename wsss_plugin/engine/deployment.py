"""What remains of a trained segmentor when only its segmentation is used."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.segmentor_kinds import deployed
from wsss_plugin.models.version_0_1 import renamed_weights


def deployed_weights(
    state_dict: Mapping[str, Tensor], model: Mapping[str, Any], half: bool = False
) -> dict[str, Tensor]:
    """Keeps the weights that the deployed model has.

    Args:
        state_dict (Mapping): Weights of a trained segmentor by name.
        model (Mapping): ``model`` of the training's config.
        half (bool): Whether floating-point weights are stored as float16.

    Returns:
        dict: Weights by the names of the deployed model.

    Raises:
        ValueError: If the segmentor cannot be deployed, or a part has no weight in the checkpoint.
    """
    _, prefixes = deployed(model)
    plain = {name.removeprefix('module.'): weight for name, weight in state_dict.items()}
    kept = {}
    for old, new in prefixes.items():
        found = {
            new + name.removeprefix(old): weight
            for name, weight in renamed_weights(plain).items()
            if name.startswith(old)
        }
        if not found:
            raise ValueError(
                f'expected weights named {old}* in the checkpoint, received '
                f'{list(state_dict)[:3]}...; give a checkpoint that tools/train.py saved, and the '
                'config of its training'
            )
        kept.update(found)
    return {
        name: weight.half() if half and weight.is_floating_point() else weight
        for name, weight in kept.items()
    }


def deployed_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Derives the config of the deployed model from that of the trained one.

    It has no CAM source, so a class prior is left out, with a warning.

    Args:
        model (Mapping): ``model`` of the training's config.

    Returns:
        dict: ``model`` of a segmentor that needs no pre-trained weights.

    Raises:
        ValueError: If the segmentor cannot be deployed.
    """
    config = copy.deepcopy(deployed(model)[0])
    if (model.get('test_cfg') or {}).get('class_prior') is not None:
        warnings.warn(
            'test_cfg.class_prior needs a CAM source, and the deployed model has none: it predicts '
            'without; its scores are those of tools/test.py with --cfg-options '
            'model.test_cfg.class_prior=None',
            stacklevel=2,
        )
    preprocessor = config.get('data_preprocessor', {})
    if type_name(preprocessor) == 'MultiViewDataPreProcessor':
        preprocessor['type'] = 'SegDataPreProcessor'
    return config


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
