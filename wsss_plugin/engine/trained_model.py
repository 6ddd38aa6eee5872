"""A trained model for a program that neither trains nor tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader, load_state_dict
from mmseg.registry import DATASETS, HOOKS, MODELS
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from wsss_plugin.engine.checkpoint_classes import check_classes
from wsss_plugin.engine.checkpoint_fit import check_weights_fit
from wsss_plugin.engine.config_types import is_kind


def load_trained_model(config: Config, checkpoint: str) -> tuple[Any, dict[str, Any]]:
    """Builds a model and loads its weights, without a runner.

    A runner would write its config over the one that the training left in the work folder, and
    hooks of the training, such as the moving average of the weights, need a training.

    Args:
        config (Config): Config of the training; ``resizable`` of its ``CheckpointShapeHook`` is
            respected.
        checkpoint (str): The checkpoint file.

    Returns:
        tuple: The model in evaluation mode, on the GPU if there is one, and the ``dataset_meta``
        of the checkpoint, empty where it has none.

    Raises:
        FileNotFoundError: If the checkpoint does not exist.
        RuntimeError: If it is damaged or holds other objects than weights and plain values.
        ValueError: If it lacks weights of the model, or holds some that are not finite.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    model = MODELS.build(_with_data_preprocessor(config))
    loaded = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    check_weights_fit(model, loaded, _resizable(config), str(checkpoint))
    weights = loaded.get('state_dict', loaded)
    consume_prefix_in_state_dict_if_present(weights, 'module.')
    load_state_dict(model, weights)
    # Synchronised statistics need a GPU and a process group even where they are not updated.
    model = revert_sync_batchnorm(model).to(get_device()).eval()
    return model, dict(loaded.get('meta', {}).get('dataset_meta') or {})


def class_meta(config: Config, trained: Mapping[str, Any], checkpoint: str) -> dict[str, Any]:
    """Names and, perhaps, colours of the classes that a model predicts.

    Args:
        config (Config): The config, whose test set is asked where the checkpoint says nothing.
        trained (Mapping): ``dataset_meta`` of the checkpoint, empty where it has none.
        checkpoint (str): The checkpoint file, for the error.

    Returns:
        dict: ``classes``, background first, and perhaps ``palette``.

    Raises:
        KeyError: If neither the checkpoint nor the data set names the classes.
    """
    dataset = config.test_dataloader.dataset
    kind = dataset.type if isinstance(dataset.type, type) else DATASETS.get(dataset.type)
    meta = dict(trained) or {**getattr(kind, 'METAINFO', {}), **dataset.get('metainfo', {})}
    if 'classes' not in meta:
        raise KeyError(
            f'expected names of classes in {checkpoint} or in METAINFO of the data set, received '
            "neither; set test_dataloader.dataset.metainfo['classes']"
        )
    return meta


def scored_dataset(config: Config, trained: Mapping[str, Any]) -> Any:
    """Builds the data set of ``test_dataloader`` and compares its classes with a checkpoint's.

    Args:
        config (Config): The config.
        trained (Mapping): ``dataset_meta`` of the checkpoint, empty where it has none.

    Returns:
        Any: The data set.

    Raises:
        ValueError: If the classes or their order differ; names the first that does.
    """
    dataset = DATASETS.build(config.test_dataloader.dataset)
    check_classes({'meta': {'dataset_meta': trained}}, dataset.metainfo, 'test_dataloader')
    return dataset


def _with_data_preprocessor(config: Config) -> dict[str, Any]:
    """The model's config; the toolbox allows its data preprocessor beside it."""
    beside = config.get('data_preprocessor')
    return {**({} if beside is None else {'data_preprocessor': beside}), **config.model}


def _resizable(config: Config) -> tuple[str, ...]:
    hooks = config.get('custom_hooks') or []
    chosen = [hook for hook in hooks if is_kind(hook, 'CheckpointShapeHook', HOOKS)]
    return tuple(name for hook in chosen for name in hook.get('resizable', ()))
