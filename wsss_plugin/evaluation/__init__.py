"""Metrics, dense CRF and test-time augmentation."""

from wsss_plugin.evaluation.crf_pool import CRFPool
from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.label_scores import LabelScores
from wsss_plugin.evaluation.miou_interval import MIoUInterval, miou_interval
from wsss_plugin.evaluation.paired_difference import PairedDifference, paired_difference
from wsss_plugin.evaluation.scale_max_tta_model import ScaleMaxTTAModel
from wsss_plugin.evaluation.wsss_metric import WSSSMetric

__all__ = [
    'CRFPool',
    'LabelScores',
    'MIoUInterval',
    'PairedDifference',
    'ScaleMaxTTAModel',
    'WSSSMetric',
    'dense_crf',
    'miou_interval',
    'paired_difference',
]
