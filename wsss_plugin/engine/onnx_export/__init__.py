"""A deployed segmentor as an ONNX file, and what shows that the file predicts the same."""

from wsss_plugin.engine.onnx_export.exported_network import ExportedNetwork
from wsss_plugin.engine.onnx_export.onnx_check import OnnxDifference, compare_with_torch
from wsss_plugin.engine.onnx_export.onnx_writing import EXPORTERS, onnx_bytes, require_onnx

__all__ = [
    'EXPORTERS',
    'ExportedNetwork',
    'OnnxDifference',
    'compare_with_torch',
    'onnx_bytes',
    'require_onnx',
]
