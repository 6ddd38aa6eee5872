"""Reduces a checkpoint to what prediction needs: python tools/publish_model.py IN OUT."""

from __future__ import annotations

import argparse
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from mmseg.registry import MODELS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.checkpoint_fit import check_weights_fit
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.config_text import parse_config_text
from wsss_plugin.engine.deployment import (
    deployed_meta,
    deployed_model,
    deployed_weights,
    with_toolbox_loader,
)
from wsss_plugin.whole_file import write_bytes, write_text

_SHARED_KEYS = ('default_scope', 'custom_imports', 'env_cfg', 'test_pipeline', 'test_dataloader')
_SHARED_KEYS += ('test_evaluator', 'test_cfg', 'default_hooks', 'log_processor', 'visualizer')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        argparse.Namespace: One attribute per argument.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('in_file', help='checkpoint of a training')
    parser.add_argument('out_file', help='file to write; part of its SHA-256 is put in the name')
    parser.add_argument('--fp16', action='store_true', help='store weights as float16')
    parser.add_argument(
        '--config',
        nargs='?',
        const='',
        metavar='CONFIG',
        help='write the config of the deployed model too; CONFIG is that of the training, needed '
        'where the checkpoint has none',
    )
    return parser.parse_args(arguments)


def training_config(checkpoint: Mapping[str, Any], in_file: str, config_file: str | None) -> Config:
    """The config of the training.

    Args:
        checkpoint (Mapping): Content of the checkpoint, whose config is used if none is named.
        in_file (str): Its file, for the error.
        config_file (str, optional): Config of the training.

    Returns:
        Config: The config.

    Raises:
        KeyError: If no config is named and the checkpoint holds none.
        ValueError: If the checkpoint's holds more than values; nothing in it is run.
    """
    if config_file:
        return Config.fromfile(config_file)
    text = checkpoint.get('meta', {}).get('cfg')
    if text is None:
        raise KeyError(
            f'expected a config in {in_file}, received a checkpoint without; name the config '
            'of its training: --config CONFIG'
        )
    return parse_config_text(text, in_file)


def publish(
    checkpoint: Mapping[str, Any], config: Config, in_file: str, out_file: str, half: bool = False
) -> Path:
    """Writes the reduced checkpoint, with the names and colours of its classes.

    Args:
        checkpoint (Mapping): Content of the checkpoint of a training.
        config (Config): Config of the training.
        in_file (str): Its file, whose size is printed.
        out_file (str): Name to write, to which part of the file's SHA-256 is added.
        half (bool): Whether weights are stored as float16.

    Returns:
        Path: The file written.

    Raises:
        ValueError: If a weight of the deployed model is missing, of another shape or not finite.
    """
    before = checkpoint.get('state_dict', checkpoint)
    after = deployed_weights(before, config.model, half)
    model = MODELS.build(deployed_model(config.model))
    check_weights_fit(model, after, source=in_file)
    trained = checkpoint.get('meta', {}).get('dataset_meta') or {}
    dataset_meta = deployed_meta(config, trained, model.num_classes)
    content = io.BytesIO()
    torch.save({'state_dict': after, 'meta': {'dataset_meta': dataset_meta}}, content)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    out = Path(out_file)
    final = out.with_name(f'{out.name.removesuffix(".pth")}-{digest[:8]}.pth')
    write_bytes(final, content.getvalue())
    for label, path, weights in (('training', Path(in_file), before), ('deployed', final, after)):
        count = sum(weight.numel() for weight in weights.values())
        size = path.stat().st_size
        print(f'{label}: {path} {count / 1e6:.2f} M values, {size / 1e6:.1f} MB')
    return final


def write_config(config: Config, deployed: Path) -> Path:
    """Writes the config of the deployed model beside its checkpoint.

    Args:
        config (Config): Config of the training.
        deployed (Path): The deployed checkpoint.

    Returns:
        Path: The config written.
    """
    shared = {key: config[key] for key in _SHARED_KEYS if config.get(key) is not None}
    model = deployed_model(config.model)
    content = {**with_toolbox_loader(shared), 'model': model, 'load_from': str(deployed)}
    target = deployed.with_suffix('.py')
    write_text(target, Config(content).pretty_text)
    return target


def main(arguments: Sequence[str] | None = None) -> None:
    """Publishes as the command line says.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.
    """
    args = parse_args(arguments)
    checkpoint = CheckpointLoader.load_checkpoint(args.in_file, map_location='cpu')
    config = training_config(checkpoint, args.in_file, args.config)
    init_default_scope(config.get('default_scope') or 'mmseg')
    final = publish(checkpoint, config, args.in_file, args.out_file, args.fp16)
    if args.config is not None:
        print(f'config: {write_config(config, final)}')


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
