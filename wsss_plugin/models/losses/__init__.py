"""Losses."""

from wsss_plugin.models.losses.affinity_loss import AffinityLoss
from wsss_plugin.models.losses.balanced_cross_entropy_loss import BalancedCrossEntropyLoss
from wsss_plugin.models.losses.class_token_contrast_loss import ClassTokenContrastLoss
from wsss_plugin.models.losses.dense_energy_loss import DenseEnergyLoss
from wsss_plugin.models.losses.displacement_loss import DisplacementLoss
from wsss_plugin.models.losses.multi_label_soft_margin_loss import MultiLabelSoftMarginLoss
from wsss_plugin.models.losses.patch_token_contrast_loss import PatchTokenContrastLoss
from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.models.losses.semantic_consistency_loss import SemanticConsistencyLoss
from wsss_plugin.models.losses.softmax_class_loss import SoftmaxClassLoss

__all__ = [
    'AffinityLoss',
    'BalancedCrossEntropyLoss',
    'ClassTokenContrastLoss',
    'DenseEnergyLoss',
    'DisplacementLoss',
    'MultiLabelSoftMarginLoss',
    'PatchTokenContrastLoss',
    'SemanticConsistencyLoss',
    'SoftmaxClassLoss',
    'process_mean',
]
