"""From a network to the bytes of an ONNX file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from wsss_plugin.engine.onnx_export.exported_network import ExportedNetwork, example_image
from wsss_plugin.errors import ConfigError, cut

EXPORTERS = ('trace', 'dynamo')
_OPSETS = {'trace': 17, 'dynamo': 18}
# Neither a multiple of a patch nor a square, so that no size becomes part of the graph by chance.
_EXAMPLE_SIZE = (150, 214)


def require_onnx(exporter: str = 'trace') -> ModuleType:
    """The module ``onnx``, imported only where a file is exported.

    Args:
        exporter: Which exporter is used.

    Returns:
        The module.

    Raises:
        ImportError: If a package that the export needs is missing.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401

        if exporter == 'dynamo':
            import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'expected the packages onnx, onnxruntime and onnxscript for an export to ONNX, one of '
            f"which cannot be imported ({error}); run `pip install 'wsss_plugin[onnx]'`"
        ) from error
    return onnx


def onnx_bytes(
    network: ExportedNetwork, about: Mapping[str, str], exporter: str = 'trace'
) -> bytes:
    """Exports a network for one image of any height and width.

    Args:
        network: The network, in evaluation mode.
        about: What is said of the model in the file, such as its classes.
        exporter: 'trace' records one run; 'dynamo' analyses the program, which takes minutes and
            gets along with networks that compute sizes in Python.

    Returns:
        The file: ``image`` (1, C, H, W) to ``probabilities`` (1, K + 1, H, W) and ``label``
        (1, H, W).

    Raises:
        ConfigError: If the exporter is unknown, or the network has an operation that it does not
            know.
        ImportError: If a package that the export needs is missing.
    """
    if exporter not in EXPORTERS:
        raise ConfigError(f'expected an exporter among {EXPORTERS}, received {exporter!r}')
    onnx = require_onnx(exporter)
    model = onnx.load_from_string(_exported(network, exporter))
    onnx.helper.set_model_props(model, {**dict(about), 'exporter': exporter})
    model.producer_name = 'wsss_plugin'
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _exported(network: ExportedNetwork, exporter: str) -> bytes:
    image = example_image(network.channels, _EXAMPLE_SIZE, seed=0)[None]
    options: dict[str, Any] = {
        'args': (image,),
        'input_names': ['image'],
        'output_names': ['probabilities', 'label'],
        'opset_version': _OPSETS[exporter],
    }
    export = _trace if exporter == 'trace' else _analyse
    try:
        # Tracing warns wherever Python looks at a size; onnxruntime's answers are compared.
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter('ignore')
            return export(network, options)
    except Exception as error:
        other = 'dynamo' if exporter == 'trace' else 'trace'
        raise ConfigError(
            f'expected a network whose operations ONNX has, received {cut(error)} from the '
            f'exporter {exporter!r}; try --exporter {other}'
        ) from error


def _trace(network: ExportedNetwork, options: dict[str, Any]) -> bytes:
    sides = {2: 'height', 3: 'width'}
    axes = {'image': sides, 'probabilities': sides, 'label': {1: 'height', 2: 'width'}}
    content: Any = io.BytesIO()
    torch.onnx.export(network, f=content, dynamo=False, dynamic_axes=axes, **options)
    return content.getvalue()


def _analyse(network: ExportedNetwork, options: dict[str, Any]) -> bytes:
    dynamic = torch.export.Dim.DYNAMIC
    shapes = {'image': {2: dynamic, 3: dynamic}}
    program: Any = torch.onnx.export(
        network, dynamo=True, dynamic_shapes=shapes, verbose=False, **options
    )
    content = io.BytesIO()
    program.save(content)
    return content.getvalue()
