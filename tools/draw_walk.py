"""Draws a walk along affinities: python tools/draw_walk.py CONFIG CHECKPOINT --out FILE.png.

Columns: image with the pixel of the highest score, ground truth, what that pixel is connected with,
the highest score of the classes after several numbers of steps, the label after the last.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import mmcv
import numpy as np
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.label_export import load_segmentor
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.trained_model import scored_dataset
from wsss_plugin.engine.walk_pictures import walk_pictures
from wsss_plugin.visualization import contact_sheet, walk_panel
from wsss_plugin.whole_file import whole_file

WIDEST = 1100  # pixels
COLOURS = 128


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', required=True, metavar='FILE', help='picture to write')
    parser.add_argument('--labels', default='walk', metavar='NAME', help='default: walk')
    parser.add_argument('--num', type=int, default=4, help='images, spread over the test set')
    parser.add_argument('--steps', nargs='+', type=int, default=[0, 4, 32, 256])
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num < 1 or min(args.steps) < 0:
        parser.error(f'expected --num >= 1 and --steps >= 0, received {args.num} and {args.steps}')
    return args


def panels(args: argparse.Namespace) -> Iterator[np.ndarray]:
    """Draws each image.

    Args:
        args: The command line.

    Yields:
        A panel.
    """
    config = load_config(args.config, options=args.cfg_options)
    model, labels = load_segmentor(config, args.checkpoint, args.labels)
    dataset = scored_dataset(config, model.dataset_meta)
    for index in spread_indices(len(dataset), args.num):
        data = model.data_preprocessor(pseudo_collate([dataset[index]]), False)
        (sample,) = data['data_samples']
        yield _panel(model, labels, data['inputs'], sample, args.steps)


def _panel(model: Any, labels: str, inputs: Any, sample: Any, steps: Sequence[int]) -> np.ndarray:
    walk = walk_pictures(model, labels, model.batch(inputs, [sample]), steps)
    height, width = inputs.shape[-2:]
    image = mmcv.imread(sample.img_path, channel_order='rgb', backend='pillow')
    truth = Image.fromarray(sample.gt_sem_seg.data[0].cpu().numpy().astype(np.uint8))
    return walk_panel(
        mmcv.imresize(image, (width, height)),
        model.dataset_meta['classes'],
        walk.pixel,
        {f'its pixel, {_steps(number)}': share for number, share in walk.reach.items()},
        {f'classes, {_steps(number)}': score for number, score in walk.scores.items()},
        model.dataset_meta.get('palette'),
        np.asarray(truth.resize((width, height), Image.Resampling.NEAREST)),
    )


def _steps(number: int) -> str:
    return '1 step' if number == 1 else f'{number} steps'


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws as the command line says."""
    args = parse_args(arguments)
    picture = Image.fromarray(contact_sheet(list(panels(args))))
    picture.thumbnail((WIDEST, WIDEST))
    with whole_file(args.out) as file:
        picture.quantize(COLOURS, kmeans=1).save(file, format='PNG', optimize=True)
    print(f'{args.num} images in {args.out}')


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
