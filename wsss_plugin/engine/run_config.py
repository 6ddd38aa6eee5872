"""Turns command-line choices into a runner's config; shared by the tools."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmseg.registry import HOOKS, OPTIM_WRAPPER_CONSTRUCTORS

from wsss_plugin import compat
from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.engine.hooks.load_part_hook import LoadPartHook
from wsss_plugin.engine.label_dir_seed import fill_seed
from wsss_plugin.engine.mask_folder import mask_folder
from wsss_plugin.engine.run_identity import RunCheckpoint, find_checkpoint
from wsss_plugin.engine.segmentor_kinds import threshold_keys

_HOOKS = (
    'SafeCheckpointHook',
    'CheckpointShapeHook',
    'SkipTrainedDataHook',
    'IterationSeedHook',
    'SplitOverlapHook',
    'RunIdentityHook',
    'NonFiniteHook',
    'UnreachedParametersHook',
    'TrainingStartHook',
    'DataSummaryHook',
    'ProgressBarHook',
)
# Hooks of the toolbox, each by its name in default_hooks, and what takes their place.
_REPLACED = {
    'checkpoint': ('CheckpointHook', 'WholeCheckpointHook'),
    'logger': ('LoggerHook', 'TimedLoggerHook'),
}


def load_config(
    path: str,
    work_dir: str | None = None,
    options: Mapping[str, Any] | None = None,
    launcher: str = 'none',
) -> Config:
    """Reads a config and applies what the command line says.

    Args:
        path (str): Config file.
        work_dir (str, optional): Folder of logs and checkpoints; default: the config's own, else
            ``work_dirs/<name of the config>``.
        options (Mapping, optional): Values by dotted key that replace the config's; see
            :func:`~wsss_plugin.engine.config_reading.read_config.read_config`.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Returns:
        Config: Ready for ``Runner.from_cfg``.

    Raises:
        FileNotFoundError: If the config does not exist.
        ValueError: If ``load_part`` is incomplete.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'expected a config file, received {path}, which does not exist; see configs/'
        )
    config = read_config(path, options)
    config.launcher = launcher
    config.work_dir = work_dir or config.get('work_dir') or f'work_dirs/{Path(path).stem}'
    fill_seed(config)
    _add_hooks(config)
    if config.get('randomness', {}).get('deterministic', False):
        # cuBLAS reads it once; torch refuses matrix products without it.
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    _distribute(config)
    return config


def _add_hooks(config: Config) -> None:
    hooks = list(config.get('custom_hooks') or [])
    missing = [name for name in _HOOKS if not any(is_kind(hook, name, HOOKS) for hook in hooks)]
    config.custom_hooks = hooks + [{'type': name} for name in missing] + _load_part(config)
    # Without an entry the toolbox adds one of the kind that is replaced here.
    defaults = dict(config.get('default_hooks') or {})
    for name, (kind, own) in _REPLACED.items():
        given = defaults.get(name, {})
        if given is not None and type_name(given) in ('', kind):
            defaults[name] = {**given, 'type': own}
    config.default_hooks = defaults


def _load_part(config: Config) -> list[dict[str, Any]]:
    part = config.get('load_part')
    if part is None:
        return []
    if not isinstance(part, Mapping) or set(part) != {'checkpoint', 'modules'}:
        raise ValueError(
            "expected load_part=dict(checkpoint=..., modules=('backbone', ...)) in the config, "
            f'received {part!r:.200}'
        )
    LoadPartHook(**part)
    _check_file(part['checkpoint'], 'load_part.checkpoint', 'load_part=None')
    return [{'type': 'LoadPartHook', **part}]


def _distribute(config: Config) -> None:
    if config.launcher == 'none':
        return
    if config.get('model_wrapper_cfg') is None:
        config.model_wrapper_cfg = {
            'type': 'DeviceAgnosticDistributedDataParallel',
            'find_unused_parameters': config.get('find_unused_parameters', False),
            'broadcast_buffers': False,
        }
    compat.init_distributed(config.launcher, config.get('env_cfg', {}).get('dist_cfg'))


def use_final_threshold(config: Config) -> None:
    """Gives the model the high threshold at which its training ends.

    A model is built with the first one and a checkpoint has none: in training it follows from the
    iteration.

    Args:
        config (Config): Changed in place where a ``CosineThresholdHook`` is among its hooks and
            the model has the threshold at which that one starts.
    """
    known = threshold_keys(config.model)
    for hook in config.get('custom_hooks') or []:
        if not is_kind(hook, 'CosineThresholdHook', HOOKS):
            continue
        for key in hook.get('targets', ('thresholds',)):
            thresholds: Any = config.model if key in known else {}
            for name in key.split('.'):
                thresholds = thresholds.get(name) or {}
            if thresholds.get('high') == hook['start']:
                thresholds['high'] = hook['end']


def check_weights(model: Any, key: str = 'model') -> None:
    """Checks that the local files of pretrained weights named in a config exist.

    Args:
        model (Any): ``model`` of a config, or a part of it.
        key (str): Its key, for the error.

    Raises:
        FileNotFoundError: If a file is missing; names it and its key.
    """
    if isinstance(model, (list, tuple)):
        for index, part in enumerate(model):
            check_weights(part, f'{key}.{index}')
    if not isinstance(model, Mapping):
        return
    name, absent = 'pretrained', f'{key}.pretrained=False'
    # The second is the class of the first.
    if type_name(model) in ('Pretrained', 'PretrainedInit'):
        name, absent = 'checkpoint', f'{key}=None'
    path = model.get(name)
    if isinstance(path, str):
        _check_file(path, f'{key}.{name}', absent)
    for name, part in model.items():
        check_weights(part, f'{key}.{name}')


def _check_file(path: str, key: str, absent: str) -> None:
    # Addresses such as torchvision://resnet50 are downloaded.
    if '://' not in path and not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f'expected a file of weights at the config key {key}, received {path!r}, which '
            f'does not exist; put the file there, name another by --cfg-options {key}=FILE, '
            f'or start from random weights by {absent}'
        )


def skip_validation_without_masks(config: Config) -> bool:
    """Trains without validation where the validation set has no folder of masks.

    Training from tags needs none, and a user with images and tags only has none.

    Args:
        config (Config): Changed in place.

    Returns:
        bool: Whether validation was switched off; says so in a warning.
    """
    dataset: dict[str, Any] = (config.get('val_dataloader') or {}).get('dataset') or {}
    folder = mask_folder(dataset)
    if folder is None or folder.is_dir():
        return False
    warnings.warn(
        f'expected masks for validation in {folder}, found no such folder: training goes on '
        'without validation; put masks there to see mIoU during training',
        stacklevel=2,
    )
    config.val_dataloader = config.val_evaluator = config.val_cfg = None
    return True


def enable_amp(config: Config) -> None:
    """Switches a training to mixed precision.

    It computes in float16 on a GPU and, with ``DualBranchOptimWrapperConstructor``, in bfloat16 on
    a CPU; the toolbox's own wrapper needs a GPU.

    Args:
        config (Config): Changed in place; ``optim_wrapper.dtype`` may name another type.

    Raises:
        ValueError: If the optimiser wrapper is of a kind that has no mixed-precision form, or has
            none without a GPU and there is none.
    """
    wrapper = config.optim_wrapper
    kind = type_name(wrapper) or 'OptimWrapper'
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError(
            "expected optim_wrapper.type 'OptimWrapper' for --amp, received "
            f'{kind!r}; drop --amp or set optim_wrapper.dtype'
        )
    _require_device_for_amp(wrapper)
    if kind == 'AmpOptimWrapper':
        return
    wrapper.type = 'AmpOptimWrapper'
    wrapper.setdefault('loss_scale', 'dynamic')


def _require_device_for_amp(wrapper: Mapping[str, Any]) -> None:
    constructor = {'type': wrapper.get('constructor')}
    name = 'DualBranchOptimWrapperConstructor'
    if is_kind(constructor, name, OPTIM_WRAPPER_CONSTRUCTORS):
        return
    device = get_device()
    if device in ('cpu', 'mps'):
        raise ValueError(
            f'expected a GPU for --amp with the optim_wrapper of this config, received the device '
            f'{device!r}; train on a GPU, drop --amp, or set optim_wrapper.constructor={name!r}, '
            'which computes in bfloat16 on a CPU (its heads learn ten times as fast unless '
            'paramwise_cfg.head_lr_mult says otherwise)'
        )


def set_resume(config: Config, resume: str | None) -> None:
    """Chooses the checkpoint from which a training continues.

    Args:
        config (Config): Changed in place.
        resume (str, optional): 'auto' for the latest complete one of the run in the work folder,
            or a file; None, or 'auto' where there is none, starts anew.

    Raises:
        FileNotFoundError: If the file does not exist.
        RuntimeError: If it is damaged.
        ValueError: If it does not hold what a training needs to continue.
    """
    config.resume = resume is not None
    if resume is None:
        return
    if resume == 'auto':
        latest = find_checkpoint(config.work_dir, _checkpoint_folder(config))
        config.resume = latest is not None
        # What the config starts from would otherwise be taken for what it continues from.
        config.load_from = latest or config.get('load_from')
        return
    if not Path(resume).is_file():
        raise FileNotFoundError(
            f'expected a checkpoint for --resume, received {resume}, which does not exist; give '
            'no path to continue from the latest in the work folder'
        )
    RunCheckpoint.read(resume)
    config.load_from = resume


def _checkpoint_folder(config: Config) -> Path:
    """Where the toolbox saves: in the work folder, or in one of the same name elsewhere."""
    elsewhere = ((config.get('default_hooks') or {}).get('checkpoint') or {}).get('out_dir')
    folder = Path(config.work_dir)
    return folder if elsewhere is None else Path(elsewhere, folder.name)
