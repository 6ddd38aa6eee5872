"""Forty pictures whose classes are colours, with tags and masks, and a network that sees them."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

_COLOURS = Path(__file__).parents[1] / 'prediction' / 'colour_segmentor.py'
NUMBER = 40


@pytest.fixture(scope='session')
def colours():
    name = 'colour_segmentor'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _COLOURS)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def coloured(colours, tmp_path_factory):
    """Config, checkpoint and folder: images of red and blue; a quarter is said to be green too."""
    folder = tmp_path_factory.mktemp('coloured')
    (folder / 'images').mkdir()
    (folder / 'masks').mkdir()
    tags = {}
    for number in range(NUMBER):
        image, label = colours.colour_image(20, 32 + number)
        Image.fromarray(image).save(folder / 'images' / f'{number:02}.png')
        Image.fromarray(label).save(folder / 'masks' / f'{number:02}.png')
        tags[f'{number:02}'] = ['red', 'blue', *(['green'] if number % 4 == 0 else [])]
    (folder / 'tags.json').write_text(json.dumps(tags))
    (folder / 'val.txt').write_text('\n'.join(list(tags)[:8]))
    config_file, checkpoint = colours.write_model(folder)
    config = Config.fromfile(config_file)
    dataset = dict(
        type='ImageTagDataset',
        data_root=str(folder),
        ann_file='tags.json',
        metainfo=dict(classes=colours.CLASSES),
        pipeline=config.test_dataloader.dataset.pipeline,
    )
    config.train_dataloader = dict(dataset=dataset)
    config.test_dataloader = dict(dataset=dict(dataset, test_mode=True))
    return config, checkpoint, folder


@pytest.fixture
def label():
    """Makes a label map from a text, a row a line; '.' is undecided."""

    def make(text):
        import torch

        rows = [[255 if c == '.' else int(c) for c in line] for line in text.split()]
        return torch.from_numpy(np.array(rows))

    return make
