"""A short training on labels with and without foreground, and the warning after it."""

from __future__ import annotations

import json
import logging
import random

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS
from PIL import Image
from torch import nn

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.engine.hooks import UnderPredictionHook, under_prediction_hook
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.label_png import save_label_png

_CLASSES = ['background', 'square']
_SIZE, _IMAGES = 16, 6


@MODELS.register_module(force=True)
class OneConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def init_weights(self):
        pass

    def forward(self, image):
        return (self.conv(image).relu(),)


@pytest.fixture
def messages(monkeypatch):
    seen = []

    def record(message, level=logging.INFO, **_):
        seen.append((level, message))

    monkeypatch.setattr(under_prediction_hook, 'print_log', record)
    return seen


@pytest.fixture
def root(tmp_path):
    """Bright squares on dark ground, a quarter of the picture, and their tags."""
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    tags = {}
    for index in range(_IMAGES):
        image = rng.integers(0, 40, (_SIZE, _SIZE, 3), dtype=np.uint8)
        image[4:12, 4:12] += 200
        Image.fromarray(image).save(tmp_path / 'images' / f'{index}.png')
        tags[f'{index}.png'] = ['square']
    (tmp_path / 'tags.json').write_text(json.dumps(tags))
    return tmp_path


def _labels(root, kept):
    """Labels that ignore the foreground but for some rows."""
    label = np.zeros((_SIZE, _SIZE), np.uint8)
    label[4:12, 4:12] = 255
    label[4 : 4 + kept, 4:12] = 1
    folder = root / f'labels_{kept}'
    names = [str(index) for index in range(_IMAGES)]
    for name in names:
        save_label_png(folder / f'{name}.png', label)
    LabelManifest.write(folder, dict(classes=_CLASSES, images=names, ignore=255))
    return folder


def _config(root, label_dir, iterations=60, **hook):
    head = dict(
        type='FCNHead',
        in_channels=4,
        channels=4,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0,
        num_classes=2,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    )
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='RandomResize', scale=(_SIZE, _SIZE), ratio_range=(0.7, 1.3), keep_ratio=True),
        dict(type='RandomCrop', crop_size=(_SIZE, _SIZE)),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PackSegInputs'),
    ]
    preprocessor = dict(
        type='SegDataPreProcessor', size=(_SIZE, _SIZE), mean=[127.0] * 3, std=[127.0] * 3
    )
    dataset = dict(
        type='ImageTagDataset',
        ann_file='tags.json',
        data_root=str(root),
        data_prefix=dict(img_path='images'),
        metainfo=dict(classes=_CLASSES),
        label_dir=str(label_dir),
        pipeline=pipeline,
    )
    return Config(
        dict(
            default_scope='mmseg',
            work_dir=str(root / 'work'),
            experiment_name=root.name,
            model=dict(
                type='EncoderDecoder',
                data_preprocessor=dict(preprocessor, pad_val=0, seg_pad_val=255),
                backbone=dict(type='OneConvolution'),
                decode_head=head,
                train_cfg=dict(),
                test_cfg=dict(mode='whole'),
            ),
            train_dataloader=dict(
                batch_size=_IMAGES,
                num_workers=0,
                sampler=dict(type='InfiniteSampler', shuffle=False),
                dataset=dataset,
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=iterations),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.05)),
            custom_hooks=[dict(type='UnderPredictionHook', **hook)],
            default_hooks=dict(logger=dict(type='LoggerHook', interval=1000)),
            log_processor=dict(by_epoch=False),
            randomness=dict(seed=0),
        )
    )


def _train(config):
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def test_silent_where_the_foreground_is_learnt(root, messages):
    _train(_config(root, _labels(root, kept=8)))
    ((level, text),) = messages
    assert level == logging.INFO
    assert 'foreground on 6 training images after 60 iterations' in text


def test_silent_where_some_of_the_foreground_teaches_all_of_it(root, messages):
    _train(_config(root, _labels(root, kept=4)))
    ((level, _),) = messages
    assert level == logging.INFO


def test_warns_where_the_labels_ignore_the_foreground(root, messages):
    _train(_config(root, _labels(root, kept=0)))
    ((level, text),) = messages
    assert level == logging.WARNING
    assert ' 0.0 % of the pixels by their labels, 0.0 % by prediction' in text
    for part in ('ignore most of the foreground', '--segmentation', 'class_weight'):
        assert part in text


def test_warns_where_the_labelled_foreground_is_not_predicted(root, messages):
    _train(_config(root, _labels(root, kept=8), iterations=1, num=3, share=1.0))
    ((level, text),) = messages
    assert level == logging.WARNING
    assert 'on 3 training images' in text
    assert 'at least 100 % of the labelled' in text


def test_looks_at_the_interval_and_once_at_the_end(root, messages):
    _train(_config(root, _labels(root, kept=8), iterations=6, interval=2))
    seen = [text.partition('after ')[2][:1] for _, text in messages]
    assert seen == ['2', '4', '6']


def test_neither_weights_nor_chance_move(root, messages):
    labels = _labels(root, kept=8)
    runner = _train(_config(root, labels, iterations=1))
    runner.model.train()
    states = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    weights = {name: value.clone() for name, value in runner.model.state_dict().items()}
    UnderPredictionHook().after_train(runner)
    after = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    assert states == after
    assert runner.model.training
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, weights[name])
    assert messages[0] == messages[1]


def test_images_without_labels_are_refused_before_the_training(root):
    config = _config(root, _labels(root, kept=8))
    config.train_dataloader.dataset.pop('label_dir')
    config.train_dataloader.dataset.pipeline.pop(1)
    with pytest.raises(ConfigError, match=r'received views or no label for .*0\.png'):
        _train(config)


@pytest.mark.parametrize(
    ('argument', 'value'), [('num', 0), ('share', 0), ('share', 1.5), ('interval', 0)]
)
def test_refuses_numbers_out_of_range(argument, value):
    with pytest.raises(ConfigError, match=f'{argument} of UnderPredictionHook: expected a number'):
        UnderPredictionHook(**{argument: value})
