"""Gives every parameter its learning rate, weight decay and other options."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mmengine.logging import MMLogger
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

_DECAYS = ('bias_decay_mult', 'dwconv_decay_mult', 'flat_decay_mult', 'norm_decay_mult')
_MULTIPLES = (*_DECAYS, 'bias_lr_mult', 'dcn_offset_lr_mult', 'head_lr_mult')
_KNOWN = (*_MULTIPLES, 'bypass_duplicate', 'custom_keys')
_CUSTOM_MULTIPLES = ('lr_mult', 'decay_mult', 'head_lr_mult')
_VALUES = {'lr': {'lr_mult', 'head_lr_mult'}, 'weight_decay': {'decay_mult'}}
_MATCHED = 'matched_custom_key'


class ParameterRules:
    """MMEngine's rules for parameters, with a multiple of the learning rate for heads.

    The rate of a parameter is base × ``head_lr_mult`` (1 for all but heads) × MMEngine's multiple
    (``lr_mult`` of the longest custom key in its name, else ``bias_lr_mult`` and its kin).

    Args:
        options (Mapping): ``head_lr_mult`` (default 10), above 0, and all options of MMEngine's
            ``DefaultOptimWrapperConstructor``. In ``custom_keys``, ``head_lr_mult`` replaces the
            general one for the heads that the key matches; ``lr`` is the rate itself, of heads
            too. A parameter that stands in the model twice is always given to an optimiser once,
            under its first name, whatever ``bypass_duplicate`` says.

    Raises:
        KeyError: If an option is unknown, or a custom key has a value and its multiple.
        TypeError: If an option has the wrong type.
        ValueError: If ``head_lr_mult`` is not above 0.

    Examples:
        >>> rules = ParameterRules({'custom_keys': {'first': {'head_lr_mult': 1}}})
        >>> model = nn.ModuleDict({name: nn.Linear(1, 1) for name in ('trunk', 'first', 'second')})
        >>> names = [name for name, _ in model.named_parameters()]
        >>> groups = rules.group(model, {'lr': 5e-5}, names, heads=names[2:])
        >>> [(group['lr'], group['param_names']) for group in groups][0]
        (5e-05, ['trunk.weight', 'trunk.bias'])
        >>> [(group['lr'], group['param_names']) for group in groups][2]
        (0.0005, ['second.weight', 'second.bias'])
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        unknown = sorted(set(options) - set(_KNOWN))
        if unknown:
            raise KeyError(
                'expected the keys branches, head_prefixes and '
                f'{", ".join(sorted(_KNOWN))} in optim_wrapper.paramwise_cfg, received also '
                f'{unknown}'
            )
        _check_numbers('optim_wrapper.paramwise_cfg', options, _MULTIPLES)
        self.head_lr_mult = float(options.get('head_lr_mult', 10))
        self.custom_keys = self._read_custom_keys(options.get('custom_keys', {}))
        self._toolbox_options = {
            name: value
            for name, value in options.items()
            if name not in ('bypass_duplicate', 'head_lr_mult')
        }
        # MMEngine copies a custom key's options into the groups; so they tell which one matched.
        self._toolbox_options['custom_keys'] = {
            key: {**custom, _MATCHED: key} for key, custom in self.custom_keys.items()
        }

    @staticmethod
    def _read_custom_keys(custom_keys: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(custom_keys, Mapping):
            raise TypeError(
                'expected optim_wrapper.paramwise_cfg.custom_keys to be a dict from parts of '
                f'parameter names to options, received {custom_keys!r}'
            )
        for key, options in custom_keys.items():
            place = f'optim_wrapper.paramwise_cfg.custom_keys[{key!r}]'
            if not isinstance(options, Mapping):
                raise TypeError(
                    f'expected {place} to be a dict such as dict(lr_mult=0.1), received {options!r}'
                )
            _check_numbers(place, options, _CUSTOM_MULTIPLES)
            for value, multiples in _VALUES.items():
                both = sorted(multiples & set(options))
                if value in options and both:
                    raise KeyError(
                        f'expected either {value} or its multiple in {place}, received {value} '
                        f'and {" and ".join(both)}; remove one of them'
                    )
        return {key: dict(options) for key, options in custom_keys.items()}

    def check_optimizer(self, name: str, config: Mapping[str, Any]) -> None:
        """Checks that a multiple of the weight decay has something to multiply.

        Args:
            name (str): Name of the optimiser.
            config (Mapping): Its config.

        Raises:
            KeyError: If ``weight_decay`` is missing.
        """
        used = [option for option in _DECAYS if option in self._toolbox_options]
        used += [
            f'custom_keys[{key!r}].decay_mult'
            for key, options in self.custom_keys.items()
            if 'decay_mult' in options
        ]
        if used and config.get('weight_decay') is None:
            raise KeyError(
                f'expected weight_decay in the optimiser {name!r} of optim_wrapper, since '
                f'paramwise_cfg has {" and ".join(used)}, received none; set it, to 0 for none'
            )

    def check_names(self, names: Collection[str], heads: Collection[str]) -> None:
        """Checks that the custom keys match parameters, and warns where one matches none.

        Args:
            names (Collection[str]): Names of all parameters, frozen ones too.
            heads (Collection[str]): Those of heads.

        Raises:
            ValueError: If a custom key has ``head_lr_mult`` and matches no head.
        """
        for key, options in self.custom_keys.items():
            place = f'optim_wrapper.paramwise_cfg.custom_keys[{key!r}]'
            if 'head_lr_mult' in options and not any(key in name for name in heads):
                raise ValueError(
                    f'expected {place} with head_lr_mult to match parameters of heads, received '
                    'a key that matches none; use lr_mult for other parameters, or correct the key'
                )
            if not any(key in name for name in names):
                warnings.warn(
                    f'expected {place} to match parameters of the model, received a key that '
                    'matches none: it has no effect',
                    stacklevel=2,
                )

    def group(
        self,
        model: nn.Module,
        config: Mapping[str, Any],
        names: Collection[str],
        heads: Collection[str],
    ) -> list[dict[str, Any]]:
        """Returns an optimiser's groups of parameters: one for all that have equal options.

        Args:
            model (nn.Module): The whole model.
            config (Mapping): The optimiser's config, with ``lr``.
            names (Collection[str]): Names of the parameters that the optimiser updates.
            heads (Collection[str]): Names of the parameters of heads.

        Returns:
            list[dict]: Groups with ``params``, ``param_names``, ``lr`` and what differs from the
            optimiser's config. Those of heads come last, since MMEngine logs the first one's rate,
            and are never joined with others, since it logs the base rate for several groups only.
        """
        first_names = {id(parameter): name for name, parameter in model.named_parameters()}
        groups: dict[tuple[bool, str], dict[str, Any]] = {}
        for found in self._toolbox_groups(model, config):
            (parameter,) = found.pop('params')
            # A parameter that stands in the model twice has lost its name by the second time.
            name = first_names.pop(id(parameter), None)
            if name is None or name not in names:
                continue
            options = self._finish(found, config, name in heads)
            group = groups.setdefault(
                (name in heads, repr(sorted(options.items()))),
                {'params': [], 'param_names': [], **options},
            )
            group['params'].append(parameter)
            group['param_names'].append(name)
        return [groups[key] for key in sorted(groups, key=lambda key: key[0])]

    def _toolbox_groups(self, model: nn.Module, config: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One group for each trainable parameter, in the model's order."""
        rules = DefaultOptimWrapperConstructor({'optimizer': dict(config)}, self._toolbox_options)
        groups: list[dict[str, Any]] = []
        with _without_log():
            rules.add_params(groups, model)
        return groups

    def _finish(
        self, options: dict[str, Any], config: Mapping[str, Any], is_head: bool
    ) -> dict[str, Any]:
        custom = self.custom_keys.get(options.pop(_MATCHED, ''), {})
        rate = options.pop('lr', config['lr'])
        if is_head and 'lr' not in custom:
            rate *= custom.get('head_lr_mult', self.head_lr_mult)
        different = {
            name: value
            for name, value in options.items()
            if name not in _CUSTOM_MULTIPLES and value != config.get(name)
        }
        return {'lr': rate, **different}


def _check_numbers(place: str, options: Mapping[str, Any], names: Collection[str]) -> None:
    for name in names:
        value = options.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f'expected {place}.{name} to be a number, received {value!r}')
        if name == 'head_lr_mult' and value <= 0:
            raise ValueError(f'expected {place}.{name} above 0, received {value}')


@contextmanager
def _without_log() -> Iterator[None]:
    """MMEngine would log a line for each option of each parameter."""
    logger = MMLogger.get_current_instance()
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
