"""Gives every parameter of a model to the optimiser of its branch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from torch import nn

from wsss_plugin.engine.optimizers.heads import find_heads
from wsss_plugin.engine.optimizers.joint_optim_wrapper import JointOptimWrapper
from wsss_plugin.engine.optimizers.parameter_rules import ParameterRules

_WRAPPER_TYPES = ('OptimWrapper', 'AmpOptimWrapper', 'JointOptimWrapper')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(
    name=['JointOptimWrapperConstructor', 'DualBranchOptimWrapperConstructor']
)
class JointOptimWrapperConstructor:
    """Builds a :class:`JointOptimWrapper` with one optimiser per branch of the model.

    The rate of a parameter is base × ``head_lr_mult`` (1 for all but heads) × MMEngine's multiple;
    :class:`ParameterRules` has the rules. Parameters with equal options share a group, which knows
    their names. It is registered as ``DualBranchOptimWrapperConstructor`` too.

    Args:
        optim_wrapper_cfg (dict): ``type`` 'OptimWrapper' or, for mixed precision,
            'AmpOptimWrapper' (float16 on a GPU, bfloat16 on a CPU unless ``dtype`` is given);
            ``optimizers``, a dict of optimiser configs by name, or ``optimizer``, a single one
            (named 'model'); further arguments of :class:`JointOptimWrapper`.
        paramwise_cfg (dict, optional): ``branches``, a dict from the name of an optimiser to the
            prefixes of the parameter names that it updates (all others go to the one optimiser
            that is not named there); ``head_prefixes``, those of the heads (default: what
            :func:`find_heads` finds); ``head_lr_mult`` (default 10), the heads' multiple of the
            learning rate; all options of MMEngine's ``DefaultOptimWrapperConstructor``, for the
            parameters of every optimiser, such as ``custom_keys`` and ``norm_decay_mult``.

    Raises:
        KeyError: If a key is missing, unknown or names no optimiser.
        ValueError: If a prefix matches nothing in the model, a parameter belongs to two branches,
            or an optimiser is left without parameters.
        TypeError: If a value has the wrong type.

    Examples:
        A trunk and a first classifier at 5e-5, a second classifier at 5e-4:

        >>> import torch
        >>> constructor = JointOptimWrapperConstructor(
        ...     {'optimizer': {'type': 'AdamW', 'lr': 5e-5}},
        ...     {'head_lr_mult': 10, 'custom_keys': {'cams.base': {'head_lr_mult': 1}}},
        ... )
        >>> cams = torch.nn.ModuleDict({name: torch.nn.Linear(1, 1) for name in ('base', 'final')})
        >>> model = torch.nn.ModuleDict({'backbone': torch.nn.Linear(1, 1), 'cams': cams})
        >>> for group in constructor(model)['model'].optimizer.param_groups:
        ...     print(round(group['lr'], 6), group['param_names'])
        5e-05 ['backbone.weight', 'backbone.bias']
        5e-05 ['cams.base.weight', 'cams.base.bias']
        0.0005 ['cams.final.weight', 'cams.final.bias']
    """

    def __init__(
        self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        options = dict(optim_wrapper_cfg)
        self._mixed_precision = self._pop_type(options) == 'AmpOptimWrapper'
        self.optimizer_cfgs = self._pop_optimizers(options)
        self.wrapper_options = options
        self._read_paramwise_cfg(dict(paramwise_cfg or {}))

    @staticmethod
    def _pop_type(options: dict[str, Any]) -> str:
        wrapper_type = options.pop('type', 'OptimWrapper')
        name = wrapper_type if isinstance(wrapper_type, str) else wrapper_type.__name__
        if name not in _WRAPPER_TYPES:
            raise ValueError(
                f'expected optim_wrapper.type to be one of {list(_WRAPPER_TYPES)}, '
                f'received {wrapper_type!r}'
            )
        return name

    @staticmethod
    def _pop_optimizers(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
        single, several = options.pop('optimizer', None), options.pop('optimizers', None)
        if (single is None) == (several is None):
            raise KeyError(
                'expected either optim_wrapper.optimizers (a dict of optimisers by name) or '
                'optim_wrapper.optimizer (a single one), received '
                + ('neither' if single is None else 'both')
            )
        configs = {'model': single} if several is None else dict(several)
        for name, config in configs.items():
            if not isinstance(config, Mapping) or 'type' not in config or 'lr' not in config:
                raise TypeError(
                    f'expected the optimiser {name!r} of optim_wrapper to be a dict with type and '
                    f'lr, received {config!r}'
                )
        return {name: dict(config) for name, config in configs.items()}

    def _read_paramwise_cfg(self, options: dict[str, Any]) -> None:
        branches = options.pop('branches', {})
        if not isinstance(branches, Mapping):
            raise TypeError(
                'expected optim_wrapper.paramwise_cfg.branches to be a dict from names of '
                f'optimisers to prefixes, received {branches!r}'
            )
        self.branches = {
            name: _as_prefixes(f'branches.{name}', prefixes) for name, prefixes in branches.items()
        }
        heads = options.pop('head_prefixes', None)
        self.head_prefixes = None if heads is None else _as_prefixes('head_prefixes', heads)
        self.rules = ParameterRules(options)
        for name, config in self.optimizer_cfgs.items():
            self.rules.check_optimizer(name, config)
        self.default_optimizer = self._find_default_optimizer()

    def _find_default_optimizer(self) -> str:
        unknown = sorted(set(self.branches) - set(self.optimizer_cfgs))
        if unknown:
            raise KeyError(
                f'expected the keys of paramwise_cfg.branches among the optimisers '
                f'{sorted(self.optimizer_cfgs)}, received also {unknown}'
            )
        # Not the first one: configs are written to files with their keys sorted.
        others = sorted(set(self.optimizer_cfgs) - set(self.branches))
        if len(others) != 1:
            raise KeyError(
                'expected all but one of the optimisers in paramwise_cfg.branches, the remaining '
                f'one taking all other parameters; received {others} without a branch'
            )
        return others[0]

    def __call__(self, model: nn.Module) -> JointOptimWrapper:
        """Builds the optimisers.

        Args:
            model (nn.Module): The model, wrapped for data-parallel training or not.

        Returns:
            JointOptimWrapper: One member per optimiser.
        """
        module: Any = model.module if is_model_wrapper(model) else model
        self._check_prefixes(module)
        names = [name for name, _ in module.named_parameters()]
        prefixes = find_heads(module) if self.head_prefixes is None else self.head_prefixes
        heads = {name for name in names if _starts_with(name, prefixes)}
        self.rules.check_names(names, heads)
        owners = {name: self._owner(name) for name in names}
        # Not in the order of the config: configs are written to files with their keys sorted.
        members = {
            optimizer: self._build_member(
                optimizer, module, {name for name in names if owners[name] == optimizer}, heads
            )
            for optimizer in sorted(self.optimizer_cfgs)
        }
        options = dict(self.wrapper_options)
        if self._mixed_precision and options.get('dtype') is None:
            on_cpu = torch.device(get_device()).type == 'cpu'
            options['dtype'] = 'bfloat16' if on_cpu else 'float16'
        return JointOptimWrapper(**options, **members)

    def _check_prefixes(self, model: nn.Module) -> None:
        names = {name for name, _ in model.named_modules()}
        names.update(name for name, _ in model.named_parameters())
        keys = {f'branches.{branch}': prefixes for branch, prefixes in self.branches.items()}
        keys['head_prefixes'] = self.head_prefixes or ()
        for key, prefixes in keys.items():
            for prefix in prefixes:
                if prefix not in names:
                    raise ValueError(
                        f'expected optim_wrapper.paramwise_cfg.{key} to name modules or parameters '
                        f'of {type(model).__name__}, received {prefix!r}, which it does not have; '
                        f'its modules are {[name for name, _ in model.named_children()]}'
                    )

    def _build_member(
        self, name: str, model: nn.Module, owned: Collection[str], heads: Collection[str]
    ) -> OptimWrapper:
        config = self.optimizer_cfgs[name]
        groups = self.rules.group(model, config, owned, heads)
        if not groups:
            raise ValueError(
                f'expected trainable parameters for optim_wrapper.optimizers.{name}, received '
                f'none; correct paramwise_cfg.branches or remove the optimiser'
            )
        given = {option for group in groups for option in group}
        optimizer = OPTIMIZERS.build({**config, 'params': groups})
        unknown = sorted(given - {'params', 'param_names', *optimizer.defaults})
        if unknown:
            raise KeyError(
                'expected lr_mult, decay_mult, head_lr_mult or options of '
                f'{type(optimizer).__name__} in optim_wrapper.paramwise_cfg.custom_keys, received '
                f'also {unknown}; its options are {sorted(optimizer.defaults)}'
            )
        return OptimWrapper(optimizer)

    def _owner(self, name: str) -> str:
        owners = [
            branch for branch, prefixes in self.branches.items() if _starts_with(name, prefixes)
        ]
        if len(owners) > 1:
            raise ValueError(
                f'expected every parameter in one branch, received {name} in '
                f'{" and ".join(owners)}; correct optim_wrapper.paramwise_cfg.branches'
            )
        return owners[0] if owners else self.default_optimizer


def _as_prefixes(key: str, prefixes: Any) -> tuple[str, ...]:
    if isinstance(prefixes, str) or not isinstance(prefixes, Iterable):
        raise TypeError(
            f'expected optim_wrapper.paramwise_cfg.{key} to be a list of prefixes, received '
            f'{prefixes!r}'
        )
    return tuple(prefixes)


def _starts_with(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(f'{prefix}.') for prefix in prefixes)


# The name of version 0.1, when there was one method with two branches.
DualBranchOptimWrapperConstructor = JointOptimWrapperConstructor
