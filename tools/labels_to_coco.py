"""Writes a folder of labels as COCO JSON: python tools/labels_to_coco.py DIR --out FILE.

DIR is what tools/export_labels.py or tools/import_labels.py has written, or with --classes a folder
of PNG masks. The JSON goes into an
annotation tool; corrected, it comes back by tools/import_labels.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from wsss_plugin.datasets.coco_writing import coco_of_labels, labels_to_write
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.whole_file import write_text


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('labels', metavar='DIR', help='folder of labels')
    parser.add_argument('--out', required=True, metavar='FILE', help='the JSON')
    parser.add_argument(
        '--images',
        metavar='DIR',
        help='folder of the images, whose files the JSON names then; default: it names the label '
        'maps',
    )
    parser.add_argument(
        '--list', metavar='FILE', help='names of images to take, one per line; else all'
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        metavar='NAME',
        help="names of the values from 0, 'background', for masks without a manifest, where 255 is "
        'undecided',
    )
    parser.add_argument(
        '--polygons',
        action='store_true',
        help='outline areas along the edges of pixels, in place of run lengths',
    )
    parser.add_argument(
        '--components',
        action='store_true',
        help='an annotation for each group of pixels that touch, in place of each class',
    )
    parser.add_argument(
        '--undecided',
        metavar='NAME',
        help='category for pixels without a class; default: they are left out',
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the JSON."""
    args = parse_args(arguments)
    labels = labels_to_write(args.labels, args.classes, args.list)
    content, ignored = coco_of_labels(
        labels, args.images, args.undecided, args.polygons, args.components
    )
    write_text(args.out, json.dumps(content) + '\n')
    counts = f'{len(content["annotations"])} annotations of {len(content["images"])} images'
    print(f'labels_to_coco: {counts} in {args.out}')
    if ignored and args.undecided is None:
        print(
            f'labels_to_coco: {100 * ignored:.1f} % of the pixels are undecided and left out; '
            'whoever reads the file takes them for background, unless --undecided names them'
        )


if __name__ == '__main__':
    run_tool(main)
