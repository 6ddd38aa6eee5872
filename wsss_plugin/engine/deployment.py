"""What remains of a trained segmentor when only its segmentation is used."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader, load_state_dict
from mmseg.registry import DATASETS, MODELS
from torch import Tensor

from wsss_plugin.engine.checkpoint_fit import check_weights_fit
from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.segmentor_kinds import deployed
from wsss_plugin.models.version_0_1 import renamed_weights
from wsss_plugin.visualization.panel import default_palette


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
    # One of the toolboxes has none for more bands than colours.
    plain = len(preprocessor.get('mean') or ()) in (0, 1, 3)
    if plain and type_name(preprocessor) == 'MultiViewDataPreProcessor':
        preprocessor['type'] = 'SegDataPreProcessor'
    return config


def load_deployed_model(config: Config, checkpoint: str) -> tuple[Any, dict[str, Any]]:
    """Builds what remains of a trained segmentor, with its weights.

    Args:
        config: Config of the training, or of a model that is deployed already.
        checkpoint: The checkpoint file that goes with it.

    Returns:
        The segmentor in evaluation mode on the CPU, and ``classes`` and ``palette`` of the classes
        that it predicts.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        ValueError: If the segmentor cannot be deployed, or the checkpoint does not fit.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    weights = deployed_weights(loaded.get('state_dict', loaded), config.model)
    # The toolbox reads settings of the test as attributes.
    model = MODELS.build(ConfigDict(deployed_model(config.model)))
    check_weights_fit(model, weights, source=str(checkpoint))
    load_state_dict(model, weights)
    trained = (loaded.get('meta') or {}).get('dataset_meta') or {}
    meta = deployed_meta(config, trained, model.num_classes)
    return revert_sync_batchnorm(model).eval(), meta


def deployed_meta(config: Config, trained: Mapping[str, Any], num_classes: int) -> dict[str, Any]:
    """Names and colours of the classes, both of which the toolbox's inferencer asks for.

    In place of what is missing it shows those of Cityscapes.

    Args:
        config: Config of the training, whose data sets are asked where the checkpoint says nothing.
        trained: ``dataset_meta`` of the checkpoint, empty where it has none.
        num_classes: Number of classes that the model predicts, the background among them.

    Returns:
        ``classes``, by number where nobody names them, and ``palette``.

    Examples:
        >>> meta = deployed_meta(Config(), {}, 3)
        >>> meta['classes'], meta['palette'][0]
        (('background', 'class 1', 'class 2'), [0, 0, 0])
    """
    numbered = ('background', *(f'class {index}' for index in range(1, num_classes)))
    meta = dict(trained) if trained.get('classes') else _dataset_meta(config, num_classes)
    classes = tuple(meta.get('classes') or numbered)
    palette = meta.get('palette') or ()
    if len(palette) != len(classes):
        palette = default_palette(len(classes))
    return {'classes': classes, 'palette': [[int(value) for value in one] for one in palette]}


def _dataset_meta(config: Config, num_classes: int) -> dict[str, Any]:
    """What the first data set with this number of classes says."""
    for split in ('test', 'val', 'train'):
        dataset = (config.get(f'{split}_dataloader') or {}).get('dataset') or {}
        given = dataset.get('type')
        kind = DATASETS.get(given) if isinstance(given, str) else given
        meta = {**(getattr(kind, 'METAINFO', None) or {}), **(dataset.get('metainfo') or {})}
        if len(meta.get('classes') or ()) == num_classes:
            return meta
    return {}


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
