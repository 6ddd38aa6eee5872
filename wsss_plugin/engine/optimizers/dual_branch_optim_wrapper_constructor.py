"""Gives every parameter of a model to the optimiser of its branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from torch import nn

from wsss_plugin.engine.optimizers.joint_optim_wrapper import JointOptimWrapper

_DEFAULT_HEADS = ('cam_head', 'aux_cam_head', 'cnn_cam_head', 'projection_head', 'decode_head')
_WRAPPER_TYPES = ('OptimWrapper', 'AmpOptimWrapper', 'JointOptimWrapper')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DualBranchOptimWrapperConstructor:
    """Builds a :class:`JointOptimWrapper` with one optimiser per branch of the model.

    Args:
        optim_wrapper_cfg (dict): ``type`` 'OptimWrapper' or, for mixed precision,
            'AmpOptimWrapper' (float16 on a GPU, bfloat16 on a CPU unless ``dtype`` is given);
            ``optimizers``, a dict of optimiser configs by name, or ``optimizer``, a single one
            (named 'model'); further arguments of :class:`JointOptimWrapper`.
        paramwise_cfg (dict, optional): ``branches``, a dict from the name of an optimiser to the
            prefixes of the parameter names that it updates (all others go to the one optimiser
            that is not named there); ``head_prefixes`` (default: every head of the segmentors
            here) and ``head_lr_mult`` (default 10), the heads' multiple of the learning rate.

    Raises:
        KeyError: If a key is missing, unknown or names no optimiser.
        ValueError: If a prefix matches nothing in the model, a parameter belongs to two branches,
            or an optimiser is left without parameters.
        TypeError: If a value has the wrong type.
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
        self.branches = {
            name: tuple(prefixes) for name, prefixes in options.pop('branches', {}).items()
        }
        self.head_lr_mult = float(options.pop('head_lr_mult', 10))
        self._heads_named = 'head_prefixes' in options
        self.head_prefixes = tuple(options.pop('head_prefixes', _DEFAULT_HEADS))
        if options:
            raise KeyError(
                'expected the keys branches, head_prefixes and head_lr_mult in '
                f'optim_wrapper.paramwise_cfg, received also {sorted(options)}'
            )
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
        (self.default_optimizer,) = others
        if self.head_lr_mult <= 0:
            raise ValueError(
                f'expected paramwise_cfg.head_lr_mult above 0, received {self.head_lr_mult}'
            )

    def __call__(self, model: nn.Module) -> JointOptimWrapper:
        """Builds the optimisers.

        Args:
            model (nn.Module): The model, wrapped for data-parallel training or not.

        Returns:
            JointOptimWrapper: One member per optimiser.
        """
        module: Any = model.module if is_model_wrapper(model) else model
        self._check_prefixes(module)
        members = {}
        for name, groups in self._group(module).items():
            config = self.optimizer_cfgs[name]
            members[name] = OptimWrapper(OPTIMIZERS.build({**config, 'params': groups}))
        options = dict(self.wrapper_options)
        if self._mixed_precision and options.get('dtype') is None:
            on_cpu = torch.device(get_device()).type == 'cpu'
            options['dtype'] = 'bfloat16' if on_cpu else 'float16'
        return JointOptimWrapper(**options, **members)

    def _check_prefixes(self, model: nn.Module) -> None:
        names = {name for name, _ in model.named_modules()}
        names.update(name for name, _ in model.named_parameters())
        keys = {f'branches.{branch}': prefixes for branch, prefixes in self.branches.items()}
        if self._heads_named:
            keys['head_prefixes'] = self.head_prefixes
        for key, prefixes in keys.items():
            for prefix in prefixes:
                if prefix not in names:
                    raise ValueError(
                        f'expected optim_wrapper.paramwise_cfg.{key} to name modules or parameters '
                        f'of {type(model).__name__}, received {prefix!r}, which it does not have; '
                        f'its modules are {[name for name, _ in model.named_children()]}'
                    )

    def _group(self, model: nn.Module) -> dict[str, list[dict[str, Any]]]:
        """Sorts trainable parameters by optimiser, then into body and heads."""
        sorted_parameters: dict[str, tuple[list[nn.Parameter], list[nn.Parameter]]]
        sorted_parameters = {name: ([], []) for name in self.optimizer_cfgs}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                is_head = _starts_with(name, self.head_prefixes)
                sorted_parameters[self._owner(name)][is_head].append(parameter)
        groups = {}
        for name, (body, heads) in sorted_parameters.items():
            rate = self.optimizer_cfgs[name]['lr']
            groups[name] = [{'params': body, 'lr': rate}] if body else []
            if heads:
                groups[name].append({'params': heads, 'lr': rate * self.head_lr_mult})
            if not groups[name]:
                raise ValueError(
                    f'expected trainable parameters for optim_wrapper.optimizers.{name}, received '
                    f'none; correct paramwise_cfg.branches or remove the optimiser'
                )
        return groups

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


def _starts_with(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(f'{prefix}.') for prefix in prefixes)
