"""One loss, one backward pass, several optimisers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmseg.registry import OPTIM_WRAPPERS
from torch import Tensor, nn

from wsss_plugin.engine.optimizers.joint_optimizer import JointOptimizer
from wsss_plugin.engine.optimizers.saved_groups import order_as_saved

_DTYPES = {'float16': torch.float16, 'bfloat16': torch.bfloat16}


@OPTIM_WRAPPERS.register_module()
class JointOptimWrapper(OptimWrapperDict):
    """Optimisers of several branches that share one loss and step together.

    Unlike ``OptimWrapperDict`` it implements ``update_params``, so that the ``train_step`` of a
    model and of its data-parallel wrapper both work unchanged; accumulation and clipping are
    those of ``OptimWrapper``, over the parameters of all members. Each member keeps its own
    learning rates, schedules and state under its name.

    Args:
        accumulative_counts (int): Iterations whose gradients are averaged into one step.
        clip_grad (dict, optional): As for ``OptimWrapper``; the norm is that of all members.
        dtype (str, optional): 'float16' or 'bfloat16' for mixed precision; None computes in the
            parameters' own precision.
        loss_scale (str | float | dict): For float16 only: 'dynamic', a constant, or the arguments
            of ``torch.amp.GradScaler``.
        **optim_wrappers (OptimWrapper): The members by name; they neither accumulate nor clip.

    Raises:
        ValueError: If a value is out of range or a member accumulates or clips.
        TypeError: If a member is not an ``OptimWrapper`` or ``loss_scale`` has another type.

    Examples:
        >>> import torch
        >>> from mmengine.optim import OptimWrapper
        >>> vit, cnn = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
        >>> wrapper = JointOptimWrapper(
        ...     vit=OptimWrapper(torch.optim.AdamW(vit.parameters(), lr=1e-3)),
        ...     cnn=OptimWrapper(torch.optim.SGD(cnn.parameters(), lr=1e-2)),
        ... )
        >>> wrapper.update_params((vit(torch.ones(1, 2)) + cnn(torch.ones(1, 2))).sum())
        >>> wrapper.get_lr()
        {'vit.lr': [0.001], 'cnn.lr': [0.01]}
    """

    def __init__(
        self,
        accumulative_counts: int = 1,
        clip_grad: dict[str, Any] | None = None,
        dtype: str | None = None,
        loss_scale: str | float | dict[str, Any] = 'dynamic',
        **optim_wrappers: OptimWrapper,
    ) -> None:
        self._check(accumulative_counts, clip_grad, dtype, optim_wrappers)
        OptimWrapper.__init__(
            self,
            JointOptimizer(list(optim_wrappers.values())),
            accumulative_counts=accumulative_counts,
            clip_grad=None if clip_grad is None else dict(clip_grad),
        )
        OptimWrapperDict.__init__(self, **optim_wrappers)
        self.cast_dtype = None if dtype is None else _DTYPES[dtype]
        self._device_type = torch.device(get_device()).type
        self._constant_scale = loss_scale if isinstance(loss_scale, float) else None
        self.loss_scaler = self._build_scaler(loss_scale)

    @staticmethod
    def _check(
        accumulative_counts: int,
        clip_grad: dict[str, Any] | None,
        dtype: str | None,
        optim_wrappers: dict[str, OptimWrapper],
    ) -> None:
        if not isinstance(accumulative_counts, int) or accumulative_counts < 1:
            raise ValueError(
                'expected optim_wrapper.accumulative_counts to be an integer of at least 1, '
                f'received {accumulative_counts!r}'
            )
        if clip_grad is not None and not clip_grad:
            raise ValueError(
                'expected optim_wrapper.clip_grad to be None or to hold for example max_norm, '
                'received an empty dict'
            )
        if dtype is not None and dtype not in _DTYPES:
            raise ValueError(
                f'expected optim_wrapper.dtype to be one of {sorted(_DTYPES)} or None, '
                f'received {dtype!r}'
            )
        if not optim_wrappers:
            raise ValueError('expected at least one optimiser, received none')
        for name, wrapper in optim_wrappers.items():
            if not isinstance(wrapper, OptimWrapper):
                raise TypeError(
                    f'expected the member {name!r} to be an OptimWrapper, received {type(wrapper)}'
                )
            if wrapper._accumulative_counts != 1 or wrapper.clip_grad_kwargs:
                raise ValueError(
                    f'expected the member {name!r} neither to accumulate nor to clip; set '
                    'accumulative_counts and clip_grad of optim_wrapper itself'
                )

    def _build_scaler(self, loss_scale: str | float | dict[str, Any]) -> torch.amp.GradScaler:
        if isinstance(loss_scale, dict):
            options = dict(loss_scale)
        elif isinstance(loss_scale, float):
            options = {'init_scale': loss_scale}
        elif loss_scale == 'dynamic':
            options = {}
        else:
            raise TypeError(
                "expected optim_wrapper.loss_scale to be 'dynamic', a float or a dict, "
                f'received {loss_scale!r}'
            )
        enabled = self.cast_dtype is torch.float16
        return torch.amp.GradScaler(self._device_type, enabled=enabled, **options)

    # OptimWrapperDict refuses these because its members need not share a loss; here they do.
    update_params = OptimWrapper.update_params
    initialize_count_status = OptimWrapper.initialize_count_status
    zero_grad = OptimWrapper.zero_grad

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Adds the gradients of one loss to the parameters of all members.

        Args:
            loss (Tensor): Scalar loss, already divided by the accumulated iterations.
            **kwargs: Arguments of ``Tensor.backward``.
        """
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        """Clips all gradients together, then steps all members or, after an overflow, none.

        Args:
            **kwargs: Refused by the members; for the signature of ``OptimWrapper`` only.
        """
        if self.clip_grad_kwargs:
            self.loss_scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update(self._constant_scale)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Casts the forward pass, and holds back gradient exchange while accumulating.

        Args:
            model (nn.Module): The model that is run, wrapped for data-parallel training or not.

        Yields:
            None: While the forward pass runs.
        """
        enabled = self.cast_dtype is not None
        cast = torch.autocast(self._device_type, dtype=self.cast_dtype, enabled=enabled)
        with OptimWrapper.optim_context(self, model), cast:
            yield

    def state_dict(self) -> dict[str, Any]:
        """Collects the states of the members by name, and that of the scaler where one is used.

        Each group of an optimiser whose parameters have names holds them as ``param_names``.

        Returns:
            dict: Name of the member, or 'loss_scaler', to state.
        """
        states = super().state_dict()
        if self.loss_scaler.is_enabled():
            states['loss_scaler'] = self.loss_scaler.state_dict()
        return states

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores what :meth:`state_dict` collected, by the names of the parameters.

        Args:
            state_dict (dict): Result of :meth:`state_dict`. The order of its groups and parameters
                is taken over.

        Raises:
            KeyError: If the optimisers of the checkpoint have other names.
            ValueError: If an optimiser has other parameters or groups than in the checkpoint, or
                the checkpoint has no names of parameters, as those of version 0.1.
        """
        states = dict(state_dict)
        scaler = states.pop('loss_scaler', None)
        if set(states) != set(self.keys()):
            raise KeyError(
                f'expected the optimisers {sorted(self.keys())} in the checkpoint, received '
                f'{sorted(states)}; resume with the optim_wrapper.optimizers it was trained with'
            )
        ordered = {
            name: order_as_saved(name, self[name].optimizer.param_groups, state['param_groups'])
            for name, state in states.items()
        }
        for name, groups in ordered.items():
            self[name].optimizer.param_groups[:] = groups
        # Members take entries out of what they are given.
        super().load_state_dict({name: dict(state) for name, state in states.items()})
        if scaler and self.loss_scaler.is_enabled():
            self.loss_scaler.load_state_dict(scaler)
