"""Optimisers, hooks and wrappers that a runner takes from the registries."""

from wsss_plugin import compat
from wsss_plugin.engine.hooks import (
    CheckpointShapeHook,
    CosineThresholdHook,
    EffectiveBatchSizeHook,
    ProgressKeeper,
    SafeCheckpointHook,
    SkipTrainedDataHook,
)
from wsss_plugin.engine.optimizers import (
    DualBranchOptimWrapperConstructor,
    JointOptimizer,
    JointOptimWrapper,
    JointOptimWrapperConstructor,
)
from wsss_plugin.engine.wrappers import DeviceAgnosticDistributedDataParallel

compat.require_weights_only_loading()

__all__ = [
    'CheckpointShapeHook',
    'CosineThresholdHook',
    'DeviceAgnosticDistributedDataParallel',
    'DualBranchOptimWrapperConstructor',
    'EffectiveBatchSizeHook',
    'JointOptimWrapper',
    'JointOptimWrapperConstructor',
    'JointOptimizer',
    'ProgressKeeper',
    'SafeCheckpointHook',
    'SkipTrainedDataHook',
]
