"""Heads."""

from wsss_plugin.models.heads.affinity_head import AffinityHead
from wsss_plugin.models.heads.conv_mlp_head import ConvMLPHead
from wsss_plugin.models.heads.deeplab_v2_head import DeepLabV2Head
from wsss_plugin.models.heads.irn_head import IRNHead
from wsss_plugin.models.heads.large_fov_head import LargeFOVHead
from wsss_plugin.models.heads.projection_head import ProjectionHead

__all__ = [
    'AffinityHead',
    'ConvMLPHead',
    'DeepLabV2Head',
    'IRNHead',
    'LargeFOVHead',
    'ProjectionHead',
]
