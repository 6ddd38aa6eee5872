"""Segmentors."""

from wsss_plugin.models.segmentors import removed_segmentors
from wsss_plugin.models.segmentors.dual_student_segmentor import DualStudentSegmentor
from wsss_plugin.models.segmentors.mean_segmentor import MeanSegmentor
from wsss_plugin.models.segmentors.toolbox_segmentor import ToolboxSegmentor
from wsss_plugin.models.segmentors.weak_segmentor import WeakSegmentor
from wsss_plugin.models.segmentors.weak_segmentor_config import WeakSegmentorConfig

__all__ = [
    'DualStudentSegmentor',
    'MeanSegmentor',
    'ToolboxSegmentor',
    'WeakSegmentor',
    'WeakSegmentorConfig',
    'removed_segmentors',
]
