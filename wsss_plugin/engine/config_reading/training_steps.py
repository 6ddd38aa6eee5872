"""Every place of a config that counts iterations of the training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmseg.registry import HOOKS

from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.errors import ConfigError, received

_POINTS = ('begin', 'step_size')
_ENDS = ('end', 'total_iters', 'T_max')
_HOOK_POINTS = {'CosineThresholdHook': ('begin',), 'LossWeightHook': ()}
_HOOK_ENDS = {'CosineThresholdHook': ('total',), 'LossWeightHook': ()}

# Schedules that end at eta_min, which is 0 if nothing is said.
_FALLING_TO_ZERO = ('PolyLR', 'CosineAnnealingLR')

Change = Callable[['Step'], Any]


@dataclass(frozen=True)
class Step:
    """A number of iterations in a config.

    Attributes:
        key: Its dotted key.
        value: The number; a share of the training if it is between 0 and 1.
        kind: 'point' for an iteration at which something begins, 'end' for one at which something
            that lasts ends, 'share' for a point that may also be given as a share, 'interval'.
        beside: The points and ends of the same schedule, itself among them.
    """

    key: str
    value: Any
    kind: str
    beside: tuple[float, ...] = ()


def visit_steps(config: Config, change: Change) -> None:
    """Goes through all numbers of iterations of a config.

    Args:
        config: The config, changed in place.
        change: Gets each and gives what stands there afterwards.

    Raises:
        ConfigError: What ``change`` raises.
    """
    _visit_schedules(config.get('param_scheduler'), 'param_scheduler', change)
    if isinstance(config.get('model'), dict):
        _visit_model(config.model, 'model', change)
    for index, hook in enumerate(config.get('custom_hooks') or []):
        _visit_hook(hook, f'custom_hooks.{index}', change)
    loop = config.get('train_cfg') or {}
    for name, kind in (('val_interval', 'interval'), ('val_begin', 'interval')):
        _visit(loop, name, f'train_cfg.{name}', kind, change)
    saving = (config.get('default_hooks') or {}).get('checkpoint') or {}
    if saving.get('by_epoch') is False:
        _visit(saving, 'interval', 'default_hooks.checkpoint.interval', 'interval', change)


def _visit(
    holder: Any,
    name: str,
    key: str,
    kind: str,
    change: Change,
    beside: tuple[float, ...] = (),
) -> None:
    value = holder.get(name)
    if _is_number(value):
        holder[name] = change(Step(key, value, kind, beside))


def _visit_schedules(given: Any, key: str, change: Change) -> None:
    """The schedules of every branch, which is a dict of them by name, or a list of them."""
    if isinstance(given, Mapping) and 'type' in given:
        given = [given]
    if isinstance(given, Mapping):
        for name, part in given.items():
            _visit_schedules(part, f'{key}.{name}', change)
        return
    schedules = [one for one in given or [] if not one.get('by_epoch', True)]
    beside = tuple(sorted({value for one in schedules for value in _numbers(one)}))
    for index, schedule in enumerate(given or []):
        if schedule.get('by_epoch', True):
            continue
        for names, kind in ((_POINTS, 'point'), (_ENDS, 'end')):
            for name in names:
                _visit(schedule, name, f'{key}.{index}.{name}', kind, change, beside)
        if schedule.get('milestones'):
            where = f'{key}.{index}.milestones'
            schedule['milestones'] = [
                change(Step(where, value, 'point', beside)) for value in schedule['milestones']
            ]


def _numbers(schedule: Mapping[str, Any]) -> Iterator[float]:
    values = [schedule.get(name) for name in (*_POINTS, *_ENDS)]
    yield from (value for value in (*values, *schedule.get('milestones', ())) if _is_number(value))


def _visit_model(part: dict[str, Any], key: str, change: Change) -> None:
    """Loss terms, label makers and their filters, also those of students."""
    for name, value in part.items():
        if not isinstance(value, dict):
            continue
        if name in ('terms', 'filters'):
            for one, term in value.items():
                if isinstance(term, dict):
                    _visit(term, 'start', f'{key}.{name}.{one}.start', 'share', change)
        if name == 'labels':
            for one, maker in value.items():
                if isinstance(maker, dict) and _is_pairs(maker.get('cams')):
                    maker['cams'] = _pairs(maker['cams'], f'{key}.labels.{one}.cams', change)
        _visit_model(value, f'{key}.{name}', change)


def _visit_hook(hook: Any, key: str, change: Change) -> None:
    for kind in _HOOK_POINTS:
        if not is_kind(hook, kind, HOOKS):
            continue
        for names, meaning in ((_HOOK_POINTS[kind], 'point'), (_HOOK_ENDS[kind], 'end')):
            for name in names:
                _visit(hook, name, f'{key}.{name}', meaning, change)
        if kind == 'LossWeightHook' and _is_pairs(hook.get('weights')):
            hook['weights'] = _pairs(hook['weights'], f'{key}.weights', change)


def _pairs(given: Sequence[Any], key: str, change: Change) -> tuple[Any, ...]:
    return tuple((change(Step(key, start, 'share')), value) for start, value in given)


def _is_pairs(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 and _is_number(pair[0]) for pair in given
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def set_length(config: Config, length: int) -> None:
    """Gives a training another length, and moves all of its steps in proportion.

    Args:
        config: The config, changed in place.
        length: Number of iterations, at least 1.

    Raises:
        ConfigError: If the length is no number of iterations, or the training has none.
    """
    loop = config.get('train_cfg') or {}
    old = loop.get('max_iters')
    if not isinstance(old, int):
        raise ConfigError(
            'max_iters: expected a training by iterations, which has train_cfg.max_iters, '
            f'received train_cfg={received(dict(loop))}; set the length that this one has'
        )
    if not isinstance(length, int) or isinstance(length, bool) or length < 1:
        raise ConfigError(
            f'max_iters: expected a whole number of iterations from 1 on, received '
            f'{received(length)}; correct it'
        )
    if length != old:
        visit_steps(config, lambda step: _moved(step, old, length))
    _log_often_enough(config, length)
    config.train_cfg['max_iters'] = length
    if 'max_iters' in config:
        config['max_iters'] = length


def _log_often_enough(config: Config, length: int) -> None:
    logger = (config.get('default_hooks') or {}).get('logger') or {}
    if _is_number(logger.get('interval')):
        logger['interval'] = min(logger['interval'], max(1, length // 10))


def _moved(step: Step, old: int, new: int) -> Any:
    value = step.value
    if value == 0 or (isinstance(value, float) and value < 1):
        return value
    if step.kind == 'share':
        # As a share, so that steps stay in order however short the training is.
        return value / old if value < old else value
    if step.kind == 'interval':
        return max(1, round(value * new / old)) if value > 0 else value
    anchors = {old, *step.beside}
    if value - 1 in anchors and value not in {old}:
        # Warm-ups and polynomials end one step behind the iteration that they are for.
        return _moved_number(value - 1, old, new) + 1
    return _moved_number(value, old, new)


def _moved_number(value: float, old: int, new: int) -> int:
    moved = round(value * new / old)
    return moved if value >= old else min(max(moved, 1), max(new - 1, 0))


def check_steps(config: Config) -> None:
    """Checks that every step of a training comes before its end.

    Args:
        config: The config.

    Raises:
        ConfigError: If something begins at the end or later, ends later, or a top-level
            ``max_iters`` is not the length of the training; names its key.
    """
    length = (config.get('train_cfg') or {}).get('max_iters')
    if length is None:
        return
    said = config.get('max_iters', length)
    if said != length:
        raise ConfigError(
            f'max_iters: expected the length of the training in one place, received '
            f'max_iters={received(said)} and train_cfg.max_iters={length}; set the second, or give '
            f'--cfg-options max_iters={length}, which moves all that depends on it'
        )
    if config.get('scale_steps', True):
        visit_steps(config, lambda step: _checked(step, length))


def _checked(step: Step, length: int) -> Any:
    last = {'end': length + 1, 'interval': None}.get(step.kind, length - 1)
    if last is None or step.value <= last or (step.kind == 'share' and step.value < 1):
        return step.value
    meaning = 'end' if step.kind == 'end' else 'begin'
    raise ConfigError(
        f'{step.key}: expected it to {meaning} in a training of train_cfg.max_iters={length} '
        f'iterations, at {last} at the latest, received {received(step.value)}; give the length by '
        '--cfg-options max_iters=..., which moves all steps with it, set the key too, or stop a '
        'training early by scale_steps=False'
    )


def check_schedules(config: Config) -> None:
    """Checks that no learning rate has fallen to 0 before the end of the training.

    Args:
        config (Config): The config.

    Raises:
        ValueError: If a schedule ends at 0 before ``train_cfg.max_iters``; names its key.
    """
    max_iters = (config.get('train_cfg') or {}).get('max_iters')
    if max_iters is None:
        return
    for key, schedule in _schedules(config.get('param_scheduler'), 'param_scheduler'):
        ends_at_zero = type_name(schedule) in _FALLING_TO_ZERO and not schedule.get('eta_min')
        end = schedule.get('end') or math.inf
        if ends_at_zero and not schedule.get('by_epoch', True) and end < max_iters:
            raise ValueError(
                f'expected learning rates for train_cfg.max_iters={max_iters} iterations, received '
                f'{key} ({type_name(schedule)}), which is 0 from end={end} on; give the length by '
                f'--cfg-options max_iters={max_iters}, from which all follows, or set {key}.end too'
            )


def _schedules(given: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The schedules of every branch with their keys in the config."""
    if isinstance(given, Mapping) and 'type' in given:
        yield key, given
        return
    parts = given.items() if isinstance(given, Mapping) else enumerate(given or [])
    for name, part in parts:
        yield from _schedules(part, f'{key}.{name}')
