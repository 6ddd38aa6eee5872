"""Optimisers, hooks and wrappers that a runner takes from the registries."""

from wsss_plugin import compat
from wsss_plugin.engine.hooks import (
    CheckpointShapeHook,
    CosineThresholdHook,
    EffectiveBatchSizeHook,
    LoadPartHook,
    NonFiniteHook,
    ProgressKeeper,
    RunIdentityHook,
    SafeCheckpointHook,
    SkipTrainedDataHook,
    SplitOverlapHook,
    UnreachedParametersHook,
    WholeCheckpointHook,
)
from wsss_plugin.engine.one_size_test_loop import OneSizeTestLoop
from wsss_plugin.engine.optimizers import (
    DualBranchOptimWrapperConstructor,
    JointOptimizer,
    JointOptimWrapper,
    JointOptimWrapperConstructor,
)
from wsss_plugin.engine.run_identity import find_checkpoint
from wsss_plugin.engine.wrappers import DeviceAgnosticDistributedDataParallel

compat.require_weights_only_loading()
compat.write_files_whole()
compat.search_checkpoints_by(find_checkpoint)

__all__ = [
    'CheckpointShapeHook',
    'CosineThresholdHook',
    'DeviceAgnosticDistributedDataParallel',
    'DualBranchOptimWrapperConstructor',
    'EffectiveBatchSizeHook',
    'JointOptimWrapper',
    'JointOptimWrapperConstructor',
    'JointOptimizer',
    'LoadPartHook',
    'NonFiniteHook',
    'OneSizeTestLoop',
    'ProgressKeeper',
    'RunIdentityHook',
    'SafeCheckpointHook',
    'SkipTrainedDataHook',
    'SplitOverlapHook',
    'UnreachedParametersHook',
    'WholeCheckpointHook',
]
