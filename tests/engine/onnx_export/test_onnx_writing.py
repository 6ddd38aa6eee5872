import sys

import pytest

from wsss_plugin.engine.onnx_export import onnx_bytes, require_onnx
from wsss_plugin.errors import ConfigError


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(ImportError, match=r"pip install 'wsss_plugin\[onnx\]'"):
        require_onnx()


def test_an_unknown_exporter_is_refused():
    with pytest.raises(ConfigError, match=r"\('trace', 'dynamo'\), received 'script'"):
        onnx_bytes(None, {}, 'script')
