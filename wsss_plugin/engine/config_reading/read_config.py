"""Reads a config with what the command line says."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from wsss_plugin.engine.config_reading.config_variables import (
    INHERITED,
    ConfigFile,
    evaluate,
    inherited_values,
    plain,
)
from wsss_plugin.engine.config_reading.training_steps import set_length
from wsss_plugin.errors import ConfigError, listed, received

_LENGTH = 'max_iters'
_LOOP_LENGTH = f'train_cfg.{_LENGTH}'
# What is read of a config, beside the arguments of a runner.
_READ = (
    'custom_imports',
    'find_unused_parameters',
    'load_part',
    'scale_steps',
    'tta_model',
    'tta_pipeline',
)


def read_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Reads a config, whose parts follow from what the options replace.

    * A variable that the files assign, such as ``crop_size``, is replaced where it is assigned, so
      that all that the files compute of it follows.
    * ``max_iters`` and ``train_cfg.max_iters`` are the length of the training. Warm-up, schedules,
      starts of losses, switches of labels and intervals move in proportion, unless
      ``scale_steps=False`` keeps them, for a training that is stopped early.
    * Other keys are replaced as they are, after that.

    A config that inherits from one with ``variables=('name', ...)`` sets these anew by assigning
    them.

    Args:
        path: The config file.
        options: Values by dotted key.

    Returns:
        The config.

    Raises:
        ConfigError: If an option names what nothing follows from.

    >>> read_config('configs/toco/voc.py', {'max_iters': 200}).model.terms.seg.start
    0.10005
    """
    given = dict(options or {})
    config = Config.fromfile(path)
    values = inherited_values(path, config)
    if values:
        config = evaluate(path, values)
    length = _length(given)
    known = {*inspect.signature(Runner.__init__).parameters, *_READ}
    names = {key.partition('.')[0] for key in given}
    own = {key: given.pop(key) for key in list(given) if key.partition('.')[0] not in known}
    if own:
        config = _with_variables(path, config, values, own, names)
    if length is not None:
        scales = given.get('scale_steps', config.get('scale_steps', True))
        if scales:
            set_length(config, length)
        else:
            config.train_cfg[_LENGTH] = length
            if _LENGTH in config:
                config[_LENGTH] = length
    config.merge_from_dict(given)
    return config


def _length(given: dict[str, Any]) -> int | None:
    """Takes the length of the training out of the options."""
    said = [given.pop(key) for key in (_LENGTH, _LOOP_LENGTH) if key in given]
    if len(set(map(repr, said))) > 1:
        raise ConfigError(
            f'--cfg-options: expected one length of the training, received {_LENGTH}='
            f'{received(said[0])} and {_LOOP_LENGTH}={received(said[1])}; leave one out'
        )
    if said and said[0] is None:
        given[_LOOP_LENGTH] = None
    return said[0] if said else None


def _with_variables(
    path: str | Path,
    config: Config,
    values: Mapping[str, Any],
    own: Mapping[str, Any],
    names: set[str],
) -> Config:
    files = ConfigFile.read(path)
    changed = Config({name: plain(config[name]) for name in names if name in config})
    for key in own:
        name = key.partition('.')[0]
        if not files.assigns(name):
            raise ConfigError(_unknown(key, files))
    changed.merge_from_dict(dict(own))
    new = {name: changed[name] for name in {key.partition('.')[0] for key in own}}
    result = evaluate(path, {**values, **new})
    for name in new:
        before, after = (
            {key: value for key, value in one.to_dict().items() if key not in (*new, INHERITED)}
            for one in (config, result)
        )
        if before == after and plain(config[name]) != plain(new[name]):
            raise ConfigError(
                f'{name}: expected a variable from which something of {path} follows, received one '
                'that nothing reads; set the key that the training reads, such as model..., '
                'train_dataloader... or train_cfg...'
            )
    return result


def _unknown(key: str, files: ConfigFile) -> str:
    name = key.partition('.')[0]
    assigned = {one for file in files.every() for one in file.values if not one.startswith('_')}
    known = sorted({*assigned, _LENGTH, *_READ, *inspect.signature(Runner.__init__).parameters})
    close = get_close_matches(name, known)
    return (
        f'{key}: expected a key of the config {files.path}, received one that nothing reads; '
        + (f'did you mean {listed(close)}?' if close else 'see the config for its keys')
    )
