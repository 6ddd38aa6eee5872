"""Segmentors."""

from wsss_plugin.models.segmentors.background_thresholds import BackgroundThresholds
from wsss_plugin.models.segmentors.cam_segmentor import CAMSegmentor
from wsss_plugin.models.segmentors.dual_branch_segmentor import DualBranchSegmentor
from wsss_plugin.models.segmentors.token_contrast_segmentor import (
    TokenContrastSegmentor,
    TrainingBatch,
)

__all__ = [
    'BackgroundThresholds',
    'CAMSegmentor',
    'DualBranchSegmentor',
    'TokenContrastSegmentor',
    'TrainingBatch',
]
