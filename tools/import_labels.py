"""Makes label maps of masks drawn by hand: python tools/import_labels.py CONFIG FILE --out DIR.

FILE is the COCO JSON of an annotation tool, with polygons or run lengths, of any part of the images
of a data set of the config. The folder gets a label map for each of them and a manifest.json, as
those of tools/export_labels.py; a data set takes it by its argument label_dir, before the others.

Of areas that overlap the smaller is kept, and of two of one size the later. What no area covers is
background.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence

from mmengine.config import DictAction

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets.label_manifest import CORRECTED_MASKS
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.fingerprints import file_fingerprint
from wsss_plugin.engine.imported_labels import ImportedLabels
from wsss_plugin.engine.label_export import LabelFolder, ListedImages
from wsss_plugin.engine.label_export.label_files import LabelFiles
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.errors import listed

_IGNORE = 255


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file, whose data set has the images and classes')
    parser.add_argument('annotations', metavar='FILE', help='COCO JSON')
    parser.add_argument('--out', required=True, metavar='DIR', help='new folder of the labels')
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='train', help='default: train'
    )
    parser.add_argument(
        '--list', metavar='FILE', help='names of images to take, one per line; else all'
    )
    parser.add_argument(
        '--undecided', metavar='NAME', help='category for pixels without a class, which are ignored'
    )
    parser.add_argument(
        '--empty',
        choices=['skip', 'background'],
        default='skip',
        help='what an image without areas is: left out, as nobody may have looked at it, or '
        'background only; default: skip',
    )
    parser.add_argument(
        '--strip',
        metavar='REGEX',
        default='',
        help="what the tool puts before the names, for example 'images/[0-9a-f]{8}-'",
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Imports as the command line says."""
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options)
    labels = ImportedLabels(
        args.annotations,
        ListedImages(config, args.split),
        args.undecided,
        args.list,
        args.strip,
        args.empty == 'background',
        _IGNORE,
    )
    settings = {
        'method': {'made_by': 'annotations', 'undecided': args.undecided},
        'annotations': file_fingerprint(args.annotations),
        'classes': list(labels.classes),
        'ignore': _IGNORE,
        'count': len(labels),
        'list': hashlib.sha256('\n'.join(labels.names).encode()).hexdigest(),
    }
    files = LabelFiles(labels.palette, _IGNORE, _IGNORE, CORRECTED_MASKS)
    manifest = LabelFolder(args.out, labels, labels.label, settings, _IGNORE, files).write()
    share = manifest.content['ignored_share']
    print(f'\n{len(manifest.images)} masks in {args.out}, {100 * share:.1f} % undecided')
    if labels.left_out:
        print(
            f'{len(labels.left_out)} images without areas are left out: '
            f'{listed(labels.left_out, 3)}; --empty background takes them'
        )


if __name__ == '__main__':
    run_tool(main, 'finished masks are kept; the same command goes on')
