"""Data-parallel training on GPUs and on CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import MMDistributedDataParallel

# The runner looks wrappers up in the root registry, without a scope.
from mmengine.registry import MODEL_WRAPPERS
from torch import nn


@MODEL_WRAPPERS.register_module()
class DeviceAgnosticDistributedDataParallel(MMDistributedDataParallel):
    """``MMDistributedDataParallel`` that also accepts a model on the CPU.

    Args:
        module (nn.Module): Model to wrap.
        device_ids (Sequence[int], optional): GPU of this process, given by the runner; not passed
            on when the model lies on the CPU, where torch refuses it.
        **kwargs: Further arguments of ``MMDistributedDataParallel``, for example
            ``find_unused_parameters``.
    """

    def __init__(
        self, module: nn.Module, device_ids: Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        on_cpu = all(parameter.device.type == 'cpu' for parameter in module.parameters())
        super().__init__(module, device_ids=None if on_cpu else device_ids, **kwargs)
