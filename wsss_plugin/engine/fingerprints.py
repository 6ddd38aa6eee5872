"""What a run is made of, as digests that can be compared.

Records of measured runs, stages, exported labels and checkpoints are recognised by these alone; the
name of a single training is in :mod:`wsss_plugin.engine.run_identity`.

==============================  ======================================================
:func:`content_key`             a config, for the record of a measured run
:func:`settings_fingerprint`    a config, for a stage: wherever its files lie
:func:`config_fingerprint`      a part of a config, for exported labels
:func:`weights_fingerprint`     the weights of a checkpoint, whenever they were saved
:func:`file_fingerprint`        the bytes of a file
:func:`folder_fingerprint`      names and bytes of the files of a folder
==============================  ======================================================
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from wsss_plugin.datasets.label_manifest import MANIFEST_FILE
from wsss_plugin.engine.checkpoint_fit import plain_weights
from wsss_plugin.engine.run_identity import read_checkpoint
from wsss_plugin.errors import DataError

# Keys of a config that training and test read; the others are variables of its base files.
_CONFIG_KEYS = {*inspect.signature(Runner.__init__).parameters}
_CONFIG_KEYS |= {'custom_imports', 'model_wrapper_cfg', 'tta_model', 'tta_pipeline', 'load_part'}
# Weights come from the checkpoint, wherever the training took them from.
_PRETRAINED = ('pretrained', 'init_cfg')
# Where things lie, and how a run is watched.
_PLACES = ('data_root', 'work_dir', 'out_dir', 'save_dir')
_WEIGHTS = ('checkpoint', 'pretrained', 'load_from')
_LISTS = ('ann_file', 'list_file')
_WATCHED = ('logger', 'checkpoint', 'timer', 'visualization')


def content_key(config: Config) -> str:
    """A name for what a config does.

    Args:
        config: The config.

    Returns:
        Eight digits; equal for configs that differ only in variables that nothing reads.
    """
    read = {name: config[name] for name in config if name in _CONFIG_KEYS}
    return short_digest(Config(read).to_dict())


def short_digest(content: Mapping[str, object]) -> str:
    """A name for values of a config, such as the options of a command line.

    Args:
        content: The values.

    Returns:
        Eight digits.

    >>> short_digest({'train_cfg.max_iters': 3})
    '5fe036e9'
    """
    text = json.dumps(content, sort_keys=True, default=str)
    return _sha(text.encode()).hexdigest()[:8]


def config_fingerprint(part: Any) -> str:
    """SHA-256 of what a part of a config says, without where its pretrained weights are.

    Args:
        part: Part of a config.

    Returns:
        64 hexadecimal digits.

    >>> config_fingerprint({'a': 1, 'b': (2,)}) == config_fingerprint({'b': [2], 'a': 1})
    True
    """
    return values_fingerprint(_plain(part, _PRETRAINED))


def settings_fingerprint(config: Mapping[str, Any], keys: Collection[str]) -> str:
    """SHA-256 of the settings of a stage, wherever its files lie.

    Folders count for nothing, files of weights by their names, lists of images and the manifest of
    a folder of labels by what they hold, where they are there. How a run is watched (logs,
    pictures, how often it is saved) counts for nothing.

    Args:
        config: The config, with all that it inherits.
        keys: Its keys that the stage reads.

    Returns:
        64 hexadecimal digits.

    >>> here = {'dataset': {'data_root': 'data', 'size': 4}}
    >>> there = {'dataset': {'data_root': '/disk/data', 'size': 4}, 'work_dir': 'runs'}
    >>> settings_fingerprint(here, ['dataset']) == settings_fingerprint(there, ['dataset'])
    True
    """
    read = {key: config[key] for key in sorted(keys) if config.get(key) is not None}
    hooks = read.get('default_hooks')
    if isinstance(hooks, Mapping):
        read['default_hooks'] = {key: hooks[key] for key in hooks if key not in _WATCHED}
    return values_fingerprint(_placeless(_plain(read)))


def values_fingerprint(values: Any) -> str:
    """SHA-256 of values for JSON.

    Args:
        values: The values; mappings in any order.

    Returns:
        64 hexadecimal digits.
    """
    return _sha(json.dumps(values, sort_keys=True).encode()).hexdigest()


def weights_fingerprint(path: str | Path) -> str:
    """SHA-256 of the weights of a checkpoint: names, types, shapes and values.

    Its optimiser, its time and the compression of the file count for nothing.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.

    Raises:
        FileNotFoundError: If the file does not exist.
        RuntimeError: If it is damaged or holds other objects.
        ValueError: If it holds no weights.
    """
    weights = plain_weights(read_checkpoint(path))
    digest = _sha()
    for name in sorted(weights):
        value = weights[name]
        if not isinstance(value, torch.Tensor):
            raise DataError(
                f'{path}: expected a tensor as {name}, received a {type(value).__name__}; give a '
                'checkpoint that tools/train.py saved'
            )
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def file_fingerprint(path: str | Path) -> str:
    """SHA-256 of a file.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.
    """
    digest = _sha()
    with open(path, 'rb') as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def folder_fingerprint(folder: str | Path, without: Collection[str] = ()) -> str:
    """SHA-256 of the names and the bytes of the files of a folder and of those below it.

    Args:
        folder: The folder.
        without: Names of files that do not count; nor do those that begin with a point.

    Returns:
        64 hexadecimal digits.
    """
    digest = _sha()
    for path in sorted(Path(folder).rglob('*')):
        if path.is_file() and path.name not in without and not path.name.startswith('.'):
            name = path.relative_to(folder).as_posix()
            digest.update(f'{name} {file_fingerprint(path)}\n'.encode())
    return digest.hexdigest()


def _sha(content: bytes = b'') -> Any:
    return hashlib.sha256(content)


def _plain(value: Any, without: Collection[str] = ()) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one, without) for key, one in value.items() if key not in without}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one, without) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    # Classes and functions of new-style configs.
    return (
        f'{value.__module__}.{value.__qualname__}' if hasattr(value, '__qualname__') else str(value)
    )


def _placeless(value: Any) -> Any:
    """Values without the places of files."""
    if isinstance(value, list):
        return [_placeless(one) for one in value]
    if not isinstance(value, dict):
        return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
    kept = {key: _placeless(one) for key, one in value.items() if key not in _PLACES}
    for key in _WEIGHTS:
        if isinstance(value.get(key), str) and '://' not in value[key]:
            kept[key] = Path(value[key]).name
    for key in _LISTS:
        if isinstance(value.get(key), str):
            path = Path(value.get('data_root') or '', value[key])
            kept[key] = file_fingerprint(path) if path.is_file() else kept[key]
    if value.get('label_dir') is not None:
        kept['label_dir'] = _label_manifests(value['label_dir'])
    return kept


def _label_manifests(given: Any) -> Any:
    """Folders of labels, one or several and perhaps with weights, by what their manifests hold."""
    if isinstance(given, list):
        return [_label_manifests(one) for one in given]
    if isinstance(given, dict):
        return {**given, 'folder': _label_manifests(given.get('folder'))}
    path = Path(str(given), MANIFEST_FILE)
    return file_fingerprint(path) if path.is_file() else path.parent.name
