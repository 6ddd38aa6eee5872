"""CAM sources: how raw score maps come about."""

from wsss_plugin.models.cams.attention_cam_head import AttentionCAMHead
from wsss_plugin.models.cams.cam_head import CAMHead
from wsss_plugin.models.cams.cam_source import CAMSource
from wsss_plugin.models.cams.classifier_context import ClassifierContext
from wsss_plugin.models.cams.decoder_cam import DecoderCAM
from wsss_plugin.models.cams.reweighted_cam_head import ReweightedCAMHead

__all__ = [
    'AttentionCAMHead',
    'CAMHead',
    'CAMSource',
    'ClassifierContext',
    'DecoderCAM',
    'ReweightedCAMHead',
]
