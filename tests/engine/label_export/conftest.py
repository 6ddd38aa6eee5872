"""Images with labels that follow from their names, and a small segmentor whose labels walk."""

import copy
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image

_PATH = Path(__file__).with_name('plain_images.py')


@pytest.fixture(scope='session')
def plain_images():
    name = 'plain_images'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _PATH)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def walker(tmp_path_factory):
    """Config and checkpoint of a segmentor whose labels are of thresholds and of two walks."""
    config = dict(
        type='WeakSegmentor',
        data_preprocessor=dict(
            type='MultiViewDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True
        ),
        backbone=dict(type='ResNet', depth=18, base_channels=8, strides=(1, 2, 2, 1)),
        cams=dict(
            final=dict(
                type='CAMHead', in_channels=64, num_classes=5, reads='layer4', pooling='avg'
            ),
            early=dict(
                type='CAMHead', in_channels=32, num_classes=5, reads='layer3', pooling='avg'
            ),
        ),
        heads=dict(
            affinity=dict(
                type='AffinityHead',
                in_channels=(16, 32),
                channels=(4, 4),
                radius=3,
                reads=('layer2', 'layer3'),
            ),
            irn=dict(
                type='IRNHead',
                in_channels=(64, 8, 16, 32, 64),
                edge_channels=4,
                channels=(8, 16, 16),
            ),
        ),
        labels=dict(
            pixel=dict(type='PixelLabels', cams=('final', 'early')),
            walk=dict(type='RandomWalkLabels', cams=('final',), alpha=4, steps=2),
            boundary=dict(type='BoundaryWalkLabels', cams=('final',), steps=2),
        ),
        terms=dict(cls=dict(type='ClassificationTerm')),
        multi_scale=dict(scales=(1.0, 0.5)),
        thresholds=dict(low=0.2, high=0.5),
    )
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(config))
    path = tmp_path_factory.mktemp('walker') / 'a.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    return Config(dict(model=config)), str(path)


@pytest.fixture
def pictured(tmp_path):
    """Makes items of images that are files."""

    def make(tags=(1, 0, 1, 0, 0), height=40, width=48):
        image = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        image = image.repeat(8, axis=0).repeat(8, axis=1)
        path = tmp_path / f'{height}.png'
        Image.fromarray(image).save(path)
        meta = dict(ori_shape=image.shape[:2], img_shape=image.shape[:2], img_path=str(path))
        sample = SegDataSample(metainfo=meta)
        sample.gt_tags = torch.tensor(tags).float()
        inputs = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)
        return {'inputs': inputs, 'data_samples': sample}, image

    return make
