"""Times the transforms of a training pipeline, and torchvision's on bytes beside Pillow's.

    python tools/benchmark_loader.py --config configs/dual_branch/voc.py

The first table has milliseconds an image by transform, on one generated photograph. The second has
the operations of the pipelines in Pillow and in torchvision v2 on uint8 tensors, in turn, with the
largest difference of two results in grey levels: only where it is 0 could one replace the other.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import TRANSFORMS
from PIL import Image, ImageFilter, ImageOps
from torchvision.transforms.v2 import functional as v2

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.benchmark import publish, report_head
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.errors import ConfigError

_Pair = tuple[Callable[[], Any], Callable[[], Any]]


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--config', default='configs/dual_branch/voc.py')
    parser.add_argument('--image', nargs=2, type=int, default=[500, 375], help='width and height')
    parser.add_argument('--repeats', type=int, default=30)
    parser.add_argument('--out', type=Path, metavar='FILE', help='Markdown file for the tables')
    args = parser.parse_args(arguments)
    if min(*args.image, args.repeats) < 1:
        parser.error('expected --image and --repeats of at least 1')
    args.arguments = list(sys.argv[1:] if arguments is None else arguments)
    return args


def photograph(width: int, height: int) -> Image.Image:
    """A picture with large and small structure, which JPEG neither spoils nor empties."""
    draw = np.random.default_rng(0)
    coarse = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=int)
    return Image.fromarray((smooth + draw.integers(-9, 10, smooth.shape)).clip(0, 255).astype('u1'))


def transform_table(pipeline: Sequence[Any], picture: Image.Image, repeats: int) -> str:
    """Median milliseconds by transform; the first image is not counted.

    Args:
        pipeline: Configs of the transforms, in order.
        picture: The image that they load.
        repeats: Number of images.

    Returns:
        A Markdown table.

    Raises:
        ConfigError: If there are no transforms.
    """
    if not pipeline:
        raise ConfigError('expected train_dataloader.dataset.pipeline with transforms, found none')
    init_default_scope('mmseg')
    steps = [TRANSFORMS.build(step) for step in pipeline]
    seconds: list[list[float]] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'photograph.jpg'
        picture.save(path, quality=92)
        for number in range(repeats + 1):
            torch.manual_seed(number)
            seconds.append(_seconds_by_step(steps, str(path), number))
    by_step = [1e3 * median(times) for times in zip(*seconds[1:], strict=True)]
    rows = [(step['type'], cost) for step, cost in zip(pipeline, by_step, strict=True)]
    rows.append(('**image**', 1e3 * median(sum(times) for times in seconds[1:])))
    lines = ['| transform | [ms] |', '|---|---:|']
    return '\n'.join([*lines, *(f'| {name} | {cost:.3g} |' for name, cost in rows)])


def _seconds_by_step(steps: Sequence[Callable], path: str, number: int) -> list[float]:
    sample: Any = dict(img_path=path, sample_seed=number, gt_tags=np.ones(1, np.float32))
    sample.update(seg_fields=[], reduce_zero_label=False)
    times = []
    for step in steps:
        start = time.perf_counter()
        sample = step(sample)
        times.append(time.perf_counter() - start)
    return times


def operation_pairs(picture: Image.Image) -> dict[str, _Pair]:
    """Operations of the pipelines in Pillow and in torchvision v2 on uint8 tensors, by name."""
    tensor = v2.pil_to_tensor(picture)
    width, height = picture.size
    size = (3 * width // 2, 3 * height // 2)
    return {
        'resize, bilinear': (
            lambda: picture.resize(size, Image.Resampling.BILINEAR),
            lambda: v2.resize(tensor, list(size[::-1]), antialias=True),
        ),
        'flip': (
            lambda: ImageOps.mirror(picture),
            lambda: v2.horizontal_flip(tensor),
        ),
        'brightness': (
            lambda: v2.adjust_brightness(picture, 1.2),
            lambda: v2.adjust_brightness(tensor, 1.2),
        ),
        'contrast': (
            lambda: v2.adjust_contrast(picture, 1.2),
            lambda: v2.adjust_contrast(tensor, 1.2),
        ),
        'saturation': (
            lambda: v2.adjust_saturation(picture, 1.2),
            lambda: v2.adjust_saturation(tensor, 1.2),
        ),
        'hue': (lambda: v2.adjust_hue(picture, 0.1), lambda: v2.adjust_hue(tensor, 0.1)),
        'solarise': (lambda: v2.solarize(picture, 128), lambda: v2.solarize(tensor, 128)),
        'blur, radius 1': (
            lambda: picture.filter(ImageFilter.GaussianBlur(1)),
            lambda: v2.gaussian_blur(tensor, [7, 7], [1.0, 1.0]),
        ),
    }


def operation_table(picture: Image.Image, repeats: int) -> str:
    """Pillow beside torchvision on uint8 tensors, timed in turn.

    Args:
        picture: The image.
        repeats: Calls that count.

    Returns:
        A Markdown table.
    """
    lines = [
        '| operation | Pillow [ms] | uint8 tensor [ms] | largest difference |',
        '|---|---:|---:|---:|',
    ]
    for name, pair in operation_pairs(picture).items():
        times = [[_seconds(form) for form in pair] for _ in range(repeats + 1)][1:]
        first, second = (1e3 * median(one) for one in zip(*times, strict=True))
        drawn, given = v2.pil_to_tensor(pair[0]()).int(), pair[1]().int()
        difference = int((drawn - given).abs().max())
        lines.append(f'| {name} | {first:.3g} | {second:.3g} | {difference} |')
    return '\n'.join(lines)


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures as the command line says."""
    args = parse_args(arguments)
    torch.set_num_threads(1)  # as in a worker of a dataloader
    pipeline = load_config(args.config).train_dataloader.dataset.get('pipeline', [])
    picture = photograph(*args.image)
    publish(
        f'{report_head("benchmark_loader.py", args.arguments, 1)}'
        f'A JPEG of {args.image[0]} x {args.image[1]} pixels; median of {args.repeats} images\n\n'
        f'{transform_table(pipeline, picture, args.repeats)}\n\n'
        f'{operation_table(picture, args.repeats)}\n',
        args.out,
    )


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
