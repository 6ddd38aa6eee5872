"""Draws COCO's instances as masks: ``python tools/convert_coco.py instances_val2014.json OUT``."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.utils import track_iter_progress
from PIL import Image

from wsss_plugin.datasets.coco_masks import draw_mask, is_drawable
from wsss_plugin.datasets.coco_tag_dataset import COCOTagDataset, load_coco, require_keys

Job = tuple[Path, int, int, list[dict[str, Any]], dict[int, int], int]


def _jobs(ann_file: str, out: Path, crowd_label: int, skip: bool) -> Iterator[Job]:
    coco = load_coco(ann_file)
    labels = {category: number for number, category in enumerate(sorted(coco.cats), start=1)}
    if len(labels) > 254:
        raise ValueError(f'{ann_file}: expected at most 254 categories, received {len(labels)}')
    require_keys(ann_file, 'image', coco.dataset['images'], ('height', 'width'))
    require_keys(ann_file, 'annotation', coco.dataset['annotations'], ('area', 'segmentation'))
    for image_id in sorted(coco.imgs):
        image = coco.imgs[image_id]
        path = out / Path(image['file_name']).with_suffix('.png')
        height, width = image['height'], image['width']
        annotations = []
        for annotation in coco.imgToAnns.get(image_id, []):
            if is_drawable(annotation['segmentation'], height, width):
                annotations.append(annotation)
            elif skip:
                print(f'convert_coco: annotation {annotation["id"]} has no outline, left out')
            else:
                raise ValueError(
                    f'{ann_file}: expected in annotation {annotation["id"]} polygons of three or '
                    f'more points, or run lengths of {height}x{width} pixels, received '
                    f'{str(annotation["segmentation"])[:60]}; draw the outline of the object, or '
                    'leave such annotations out by --skip-without-outline'
                )
        yield path, height, width, annotations, labels, crowd_label


def _convert(job: Job) -> None:
    path, height, width, annotations, labels, crowd_label = job
    picture = Image.fromarray(draw_mask(height, width, annotations, labels, crowd_label))
    palette = COCOTagDataset.METAINFO['palette']
    picture.putpalette([value for colour in palette for value in colour])
    path.parent.mkdir(parents=True, exist_ok=True)
    # An interrupted run must not leave half a file under the final name.
    partial = path.with_suffix('.partial')
    picture.save(partial, format='PNG')
    partial.replace(path)


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
    try:
        crowd_label = 255 if args.crowd == 'ignore' else -1
        jobs = list(_jobs(args.ann_file, args.out, crowd_label, args.skip_without_outline))
    except ValueError as error:
        print(f'convert_coco: {error}', file=sys.stderr)
        return 1
    open_jobs = [job for job in jobs if not job[0].exists()]
    print(f'convert_coco: {len(jobs)} images, {len(jobs) - len(open_jobs)} masks exist')
    for _ in track_iter_progress((_run(open_jobs, args.workers), len(open_jobs))):
        pass
    print(f'\nconvert_coco: masks in {args.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
