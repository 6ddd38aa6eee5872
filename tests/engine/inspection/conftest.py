"""A small set of images and tags in which everything that is looked for is wrong somewhere."""

import json

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

TAGS = {
    'a.png': ['cat'],
    'b$x$.png': ['dog', 'rail', 'train'],
    'c.png': ['rail', 'train'],
    'd.png': [],
    'e.png': ['cat', 'dog'],
}


@pytest.fixture
def spotty(tmp_path):
    """A config of five images: c is cut short, e has the bytes of a, and b's mask shows no dog."""
    images, masks = tmp_path / 'images', tmp_path / 'masks'
    images.mkdir()
    masks.mkdir()
    rng = np.random.default_rng(0)
    for number, name in enumerate(TAGS):
        pixels = rng.integers(0, 256, (20 + number, 30, 3), np.uint8)
        Image.fromarray(pixels).save(images / name)
    whole = (images / 'c.png').read_bytes()
    (images / 'c.png').write_bytes(whole[: len(whole) // 2])
    (images / 'e.png').write_bytes((images / 'a.png').read_bytes())
    mask = np.zeros((21, 30), np.uint8)
    mask[0] = [3] * 15 + [4] * 15
    Image.fromarray(mask).save(masks / 'b$x$.png')
    (tmp_path / 'tags.json').write_text(json.dumps(TAGS))
    (tmp_path / 'train.txt').write_text('a.png\nb$x$.png\nc.png\nd.png\n')
    (tmp_path / 'val.txt').write_text('d.png\ne.png\n')
    pipeline = [
        dict(type='LoadImageOrRaise'),
        dict(type='RandomScaleCropWithBox', crop_size=24, scale_range=(0.5, 0.6)),
        dict(type='MultiCropViews'),
        dict(type='PackWSSSInputs'),
    ]
    dataset = dict(
        type='ImageTagDataset',
        data_root=str(tmp_path),
        ann_file='tags.json',
        metainfo=dict(classes=('background', 'cat', 'dog', 'rail', 'train', 'yak')),
    )
    train = dict(dataset, list_file='train.txt', pipeline=pipeline)
    val = dict(dataset, list_file='val.txt', test_mode=True, pipeline=[pipeline[0], pipeline[-1]])
    return Config(
        dict(
            train_dataloader=dict(dataset=train),
            val_dataloader=dict(dataset=val),
            test_dataloader=dict(dataset=val),
        )
    )
