"""Hooks of the training and testing loops."""

from wsss_plugin.engine.hooks.checkpoint_shape_hook import CheckpointShapeHook
from wsss_plugin.engine.hooks.compile_hook import CompileHook
from wsss_plugin.engine.hooks.cosine_threshold_hook import CosineThresholdHook
from wsss_plugin.engine.hooks.data_summary_hook import DataSummaryHook
from wsss_plugin.engine.hooks.effective_batch_size_hook import EffectiveBatchSizeHook
from wsss_plugin.engine.hooks.iteration_seed_hook import IterationSeedHook
from wsss_plugin.engine.hooks.load_part_hook import LoadPartHook
from wsss_plugin.engine.hooks.loss_weight_hook import LossWeightHook
from wsss_plugin.engine.hooks.mean_displacement_hook import MeanDisplacementHook
from wsss_plugin.engine.hooks.non_finite_hook import NonFiniteHook
from wsss_plugin.engine.hooks.panel_hook import PanelHook
from wsss_plugin.engine.hooks.progress_bar_hook import ProgressBarHook
from wsss_plugin.engine.hooks.progress_keeper import ProgressKeeper
from wsss_plugin.engine.hooks.run_identity_hook import RunIdentityHook
from wsss_plugin.engine.hooks.safe_checkpoint_hook import SafeCheckpointHook
from wsss_plugin.engine.hooks.skip_trained_data_hook import SkipTrainedDataHook
from wsss_plugin.engine.hooks.split_overlap_hook import SplitOverlapHook
from wsss_plugin.engine.hooks.tag_frequency_hook import TagFrequencyHook
from wsss_plugin.engine.hooks.timed_logger_hook import TimedLoggerHook
from wsss_plugin.engine.hooks.training_start_hook import TrainingStartHook
from wsss_plugin.engine.hooks.under_prediction_hook import UnderPredictionHook
from wsss_plugin.engine.hooks.unreached_parameters_hook import UnreachedParametersHook
from wsss_plugin.engine.hooks.whole_checkpoint_hook import WholeCheckpointHook

__all__ = [
    'CheckpointShapeHook',
    'CompileHook',
    'CosineThresholdHook',
    'DataSummaryHook',
    'EffectiveBatchSizeHook',
    'IterationSeedHook',
    'LoadPartHook',
    'LossWeightHook',
    'MeanDisplacementHook',
    'NonFiniteHook',
    'PanelHook',
    'ProgressBarHook',
    'ProgressKeeper',
    'RunIdentityHook',
    'SafeCheckpointHook',
    'SkipTrainedDataHook',
    'SplitOverlapHook',
    'TagFrequencyHook',
    'TimedLoggerHook',
    'TrainingStartHook',
    'UnderPredictionHook',
    'UnreachedParametersHook',
    'WholeCheckpointHook',
]
