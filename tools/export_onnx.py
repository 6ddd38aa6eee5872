"""Writes a trained segmentor as ONNX: python tools/export_onnx.py CONFIG CHECKPOINT --out FILE.

CONFIG and CHECKPOINT are those of a training, or those that tools/publish_model.py has written.
The file takes the pixels of one image of any size. It is written only if onnxruntime predicts by it
what torch predicts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.deployment import load_deployed_model
from wsss_plugin.engine.onnx_export import (
    EXPORTERS,
    ExportedNetwork,
    compare_with_torch,
    onnx_bytes,
    require_onnx,
)
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.whole_file import write_bytes


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments: Default: those of the process.

    Returns:
        One attribute per argument.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, metavar='FILE', help='the ONNX file')
    parser.add_argument(
        '--exporter',
        choices=EXPORTERS,
        default='trace',
        help="'dynamo' takes minutes, and networks that 'trace' cannot take; default: trace",
    )
    parser.add_argument(
        '--sizes',
        nargs='+',
        type=_size,
        default=[(256, 320), (331, 205)],
        metavar='HxW',
        help='sizes in pixels at which the file is compared with torch; default: 256x320 331x205',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    return parser.parse_args(arguments)


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition('x')
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(
            f'expected height and width such as 256x320, received {text}'
        )
    return int(height), int(width)


def about(config: Config, meta: dict[str, Any], channels: int) -> dict[str, str]:
    """What the file says of itself.

    Args:
        config: The config.
        meta: Names and colours of the classes.
        channels: Number of channels of an image.

    Returns:
        Texts by name; lists are JSON.
    """
    return {
        'classes': json.dumps(list(meta['classes'])),
        'palette': json.dumps([list(colour) for colour in meta['palette']]),
        'channels': 'red, green, blue' if channels == 3 else str(channels),
        'config': Path(config.filename).name if config.filename else '',
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Exports as the command line says.

    Args:
        arguments: Default: those of the process.
    """
    args = parse_args(arguments)
    require_onnx(args.exporter)
    config = load_config(args.config, options=args.cfg_options)
    segmentor, meta = load_deployed_model(config, args.checkpoint)
    network = ExportedNetwork(segmentor).eval()
    content = onnx_bytes(network, about(config, meta, network.channels), args.exporter)
    for difference in compare_with_torch(content, segmentor, network.channels, args.sizes):
        print(f'onnxruntime and torch at {difference}')
    write_bytes(args.out, content)
    print(f'{args.out}: {len(content) / 1e6:.1f} MB, {len(meta["classes"])} classes')


if __name__ == '__main__':
    run_tool(main)
