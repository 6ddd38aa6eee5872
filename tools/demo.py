"""Masks of any images, without tags: python tools/demo.py CONFIG CHECKPOINT INPUT --out DIR.

INPUT is an image, a folder with its sub-folders, or a video. The folder gets masks/NAME.png,
overlays/NAME.jpg and results.json. Images that cannot be read are named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.fingerprints import file_fingerprint
from wsss_plugin.engine.prediction import ImagePredictor, PredictionFolder, PredictionInputs
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.errors import ConfigError


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
    parser.add_argument('input', help='an image, a folder of images, or a video')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the results')
    parser.add_argument(
        '--tta', action='store_true', help="several scales and flips, by the config's tta_model"
    )
    parser.add_argument(
        '--crf', action='store_true', help="refine by a dense CRF, as the config's test does"
    )
    parser.add_argument(
        '--window', type=int, metavar='SIDE', help='side in pixels of windows of large images'
    )
    parser.add_argument(
        '--stride', type=int, help='distance between windows; default: two thirds of the side'
    )
    parser.add_argument(
        '--every', type=int, default=1, metavar='N', help='each N-th frame of a video; default: 1'
    )
    parser.add_argument(
        '--resume', action='store_true', help='go on in --out; images that are done are left'
    )
    parser.add_argument('--device', help='such as cpu or cuda:0; default: the GPU if there is one')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    return parser.parse_args(arguments)


def check_out(source: Path, out: Path) -> None:
    """Checks that results do not become images of the next run.

    Args:
        source: The input.
        out: The folder of the results.

    Raises:
        ConfigError: If the one is inside the other.
    """
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise ConfigError(
            f'expected --out outside the folder of the images, received {out} in {source}; choose '
            'another --out'
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Predicts as the command line says.

    Args:
        arguments: Default: those of the process.

    Returns:
        0, or 1 if an image could not be predicted.
    """
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options)
    check_out(Path(args.input), Path(args.out))
    predictor = ImagePredictor(
        config, args.checkpoint, args.tta, args.crf, args.window, args.stride, args.device
    )
    inputs = PredictionInputs(args.input, args.every, predictor.loader)
    settings = {
        'config': args.config,
        'cfg_options': {name: str(value) for name, value in (args.cfg_options or {}).items()},
        'checkpoint': args.checkpoint,
        'checkpoint_fingerprint': file_fingerprint(args.checkpoint),
    }
    folder = PredictionFolder(args.out, predictor, settings, args.resume)
    folder.write(inputs)
    print(f'{len(folder.images)} images in {args.out}, {len(folder.failed)} skipped')
    for name, reason in folder.failed.items():
        print(f'skipped {name}: {reason}')
    return int(bool(folder.failed))


if __name__ == '__main__':
    run_tool(main, 'finished images are kept; the same command with --resume goes on', True)
