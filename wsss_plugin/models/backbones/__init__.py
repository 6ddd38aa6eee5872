"""Backbones."""

from wsss_plugin.models.backbones.dual_branch_backbone import DualBranchBackbone
from wsss_plugin.models.backbones.timm_vision_transformer import TimmVisionTransformer
from wsss_plugin.models.backbones.token_features import TokenFeatures
from wsss_plugin.models.backbones.wide_bottleneck_block import WideBottleneckBlock
from wsss_plugin.models.backbones.wide_residual_block import WideResidualBlock
from wsss_plugin.models.backbones.wide_resnet38 import WideResNet38

__all__ = [
    'DualBranchBackbone',
    'TimmVisionTransformer',
    'TokenFeatures',
    'WideBottleneckBlock',
    'WideResNet38',
    'WideResidualBlock',
]
