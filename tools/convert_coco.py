"""Draws COCO's instances as masks: ``python tools/convert_coco.py instances_val2014.json OUT``."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.utils import track_iter_progress
from PIL import Image

from wsss_plugin.datasets.class_checks import MOST_CLASSES
from wsss_plugin.datasets.coco_file import (
    load_coco,
    require_keys,
    require_sizes,
    require_value,
)
from wsss_plugin.datasets.coco_masks import draw_mask, is_drawable
from wsss_plugin.datasets.coco_tag_dataset import COCOTagDataset
from wsss_plugin.datasets.file_names import LinkGuard
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.errors import DataError, WSSSError, received
from wsss_plugin.whole_file import whole_file

Job = tuple[Path, int, int, list[dict[str, Any]], dict[int, int], int]


def _jobs(ann_file: str, out: Path, crowd_label: int, skip: bool) -> Iterator[Job]:
    coco = load_coco(ann_file)
    labels = {category: number for number, category in enumerate(sorted(coco.cats), start=1)}
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f'{ann_file}: expected at most {MOST_CLASSES} categories, received {len(labels)}; '
            'masks have 8 bits, keep the categories that you need'
        )
    _check_numbers(ann_file, coco.dataset)
    guard = LinkGuard([out])
    for image_id in sorted(coco.imgs):
        image = coco.imgs[image_id]
        path = out / Path(image['file_name']).with_suffix('.png')
        guard.check(path, f'{ann_file}: image {received(image_id)}')
        height, width = image['height'], image['width']
        annotations = []
        for annotation in coco.imgToAnns.get(image_id, []):
            if is_drawable(annotation['segmentation'], height, width):
                annotations.append(annotation)
            elif skip:
                print(f'convert_coco: annotation {annotation["id"]} has no outline, left out')
            else:
                raise DataError(
                    f'{ann_file}: expected in annotation {annotation["id"]} polygons of three or '
                    f'more points, or run lengths of {height}x{width} pixels, received '
                    f'{received(annotation["segmentation"])}; draw the outline of the object, or '
                    'leave such annotations out by --skip-without-outline'
                )
        yield path, height, width, annotations, labels, crowd_label


def _check_numbers(ann_file: str, content: dict[str, list[dict[str, Any]]]) -> None:
    require_sizes(ann_file, content['images'])
    annotations = content['annotations']
    require_keys(ann_file, 'annotation', annotations, ('area', 'segmentation'))
    for annotation in annotations:
        require_value(ann_file, 'annotation', annotation, 'area', _is_finite, 'a number')


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _convert(job: Job) -> None:
    path, height, width, annotations, labels, crowd_label = job
    picture = Image.fromarray(draw_mask(height, width, annotations, labels, crowd_label))
    palette = COCOTagDataset.METAINFO['palette']
    picture.putpalette([value for colour in palette for value in colour])
    with whole_file(path) as file:
        picture.save(file, format='PNG')


def _run(jobs: list[Job], workers: int) -> Iterator[None]:
    if workers <= 1:
        yield from map(_convert, jobs)
        return
    with multiprocessing.Pool(workers) as pool:
        yield from pool.imap_unordered(_convert, jobs, chunksize=16)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('ann_file', help='instances JSON')
    parser.add_argument('out', type=Path, help='folder of the masks; existing masks are kept')
    parser.add_argument('--workers', type=int, default=2, help='processes, at least 1')
    parser.add_argument(
        '--crowd', choices=('class', 'ignore'), default='class', help='label of crowd regions'
    )
    parser.add_argument(
        '--skip-without-outline',
        action='store_true',
        help='name annotations that cannot be drawn, such as boxes only, and leave them out',
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Writes a mask per image: 0 background, categories from 1 in the order of their ids."""
    args = parse_args(arguments)
    if not Path(args.ann_file).is_file():
        print(
            f'convert_coco: {args.ann_file}: no such file; name instances_*.json', file=sys.stderr
        )
        return 1
    if args.out.exists() and not args.out.is_dir():
        print(
            f'convert_coco: {args.out}: expected a folder for the masks, found a file; name '
            'another',
            file=sys.stderr,
        )
        return 1
    try:
        crowd_label = 255 if args.crowd == 'ignore' else -1
        jobs = list(_jobs(args.ann_file, args.out, crowd_label, args.skip_without_outline))
    except WSSSError as error:
        print(f'convert_coco: {error}', file=sys.stderr)
        return 1
    open_jobs = [job for job in jobs if not job[0].exists()]
    print(f'convert_coco: {len(jobs)} images, {len(jobs) - len(open_jobs)} masks exist')
    for _ in track_iter_progress((_run(open_jobs, args.workers), len(open_jobs))):
        pass
    print(f'\nconvert_coco: masks in {args.out}')
    return 0


if __name__ == '__main__':
    run_tool(main, 'masks that are there are whole; the same command goes on', gives_code=True)
