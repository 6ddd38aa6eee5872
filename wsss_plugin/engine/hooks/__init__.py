"""Hooks of the training and testing loops."""

from wsss_plugin.engine.hooks.checkpoint_shape_hook import CheckpointShapeHook
from wsss_plugin.engine.hooks.cosine_threshold_hook import CosineThresholdHook
from wsss_plugin.engine.hooks.effective_batch_size_hook import EffectiveBatchSizeHook
from wsss_plugin.engine.hooks.loss_weight_hook import LossWeightHook
from wsss_plugin.engine.hooks.mean_displacement_hook import MeanDisplacementHook
from wsss_plugin.engine.hooks.progress_keeper import ProgressKeeper
from wsss_plugin.engine.hooks.safe_checkpoint_hook import SafeCheckpointHook
from wsss_plugin.engine.hooks.skip_trained_data_hook import SkipTrainedDataHook

__all__ = [
    'CheckpointShapeHook',
    'CosineThresholdHook',
    'EffectiveBatchSizeHook',
    'LossWeightHook',
    'MeanDisplacementHook',
    'ProgressKeeper',
    'SafeCheckpointHook',
    'SkipTrainedDataHook',
]
