"""Backbones."""

from wsss_plugin.models.backbones.dual_branch_backbone import DualBranchBackbone
from wsss_plugin.models.backbones.timm_vision_transformer import TimmVisionTransformer
from wsss_plugin.models.backbones.token_features import TokenFeatures

__all__ = ['DualBranchBackbone', 'TimmVisionTransformer', 'TokenFeatures']
