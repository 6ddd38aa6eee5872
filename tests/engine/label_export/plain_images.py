"""Images whose labels follow from their names."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from wsss_plugin.engine.label_export import LabelFolder

SETTINGS = dict(method={'type': 'A'}, classes=['background', 'cat'], ignore=255, checkpoint='c')


class PlainImages:
    classes = ('background', 'cat')
    palette = [[0, 0, 0], [200, 0, 0]]  # noqa: RUF012

    def __init__(self, folder, number=7):
        self.folder = Path(folder)
        self.names = tuple(f'{index % 2}/{index}' for index in range(number))
        self.read = []

    def __len__(self):
        return len(self.names)

    def path(self, name):
        path = self.folder / f'{name}.jpg'
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
        return str(path)

    def item(self, name):
        self.read.append(name)
        return {'inputs': name}


def label(item):
    values = np.random.default_rng(zlib.crc32(item['inputs'].encode())).integers(0, 3, (20, 30))
    return torch.from_numpy(np.where(values == 2, 255, values))


def folder(out, images, **changes):
    return LabelFolder(out, images, label, {**SETTINGS, 'count': len(images), **changes})


def write_in_one_of_two(rank, rendezvous, out, results):
    """What one of two processes does; puts the images that it read, and whether all refuse."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{rendezvous}', rank=rank, world_size=2
    )
    images = PlainImages(f'{out}-images-{rank}')
    manifest = folder(out, images).write()
    try:
        folder(out, images, checkpoint='d').write()
    except FileExistsError as error:
        refusal = str(error)
    results.put((rank, len(manifest.images), images.read, refusal))
    torch.distributed.destroy_process_group()
