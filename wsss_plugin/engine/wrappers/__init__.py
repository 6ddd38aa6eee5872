"""Wrappers of a model for data-parallel training."""

from wsss_plugin.engine.wrappers.device_agnostic_distributed_data_parallel import (
    DeviceAgnosticDistributedDataParallel,
)

__all__ = ['DeviceAgnosticDistributedDataParallel']
