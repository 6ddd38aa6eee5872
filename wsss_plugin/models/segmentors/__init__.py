"""Segmentors."""

from wsss_plugin.models.segmentors.background_thresholds import BackgroundThresholds
from wsss_plugin.models.segmentors.cam_segmentor import CAMSegmentor
from wsss_plugin.models.segmentors.dual_branch_segmentor import DualBranchSegmentor
from wsss_plugin.models.segmentors.loss_term import LossTerm
from wsss_plugin.models.segmentors.stepwise_moving_average import StepwiseMovingAverage
from wsss_plugin.models.segmentors.token_contrast_segmentor import TokenContrastSegmentor
from wsss_plugin.models.segmentors.training_batch import TrainingBatch

__all__ = [
    'BackgroundThresholds',
    'CAMSegmentor',
    'DualBranchSegmentor',
    'LossTerm',
    'StepwiseMovingAverage',
    'TokenContrastSegmentor',
    'TrainingBatch',
]
