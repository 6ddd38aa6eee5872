"""Backbones."""

from wsss_plugin.models.backbones.cluster_attention import ClusterAttention
from wsss_plugin.models.backbones.cluster_vision_transformer import ClusterVisionTransformer
from wsss_plugin.models.backbones.dual_branch_backbone import DualBranchBackbone
from wsss_plugin.models.backbones.feature_backbone import FeatureBackbone, Reduction
from wsss_plugin.models.backbones.feature_reader import check_feature, read_features, smallest_side
from wsss_plugin.models.backbones.timm_vision_transformer import TimmVisionTransformer
from wsss_plugin.models.backbones.wide_bottleneck_block import WideBottleneckBlock
from wsss_plugin.models.backbones.wide_residual_block import WideResidualBlock
from wsss_plugin.models.backbones.wide_resnet38 import WideResNet38

__all__ = [
    'ClusterAttention',
    'ClusterVisionTransformer',
    'DualBranchBackbone',
    'FeatureBackbone',
    'Reduction',
    'TimmVisionTransformer',
    'WideBottleneckBlock',
    'WideResNet38',
    'WideResidualBlock',
    'check_feature',
    'read_features',
    'smallest_side',
]
