"""tools/draw_panels.py with a tiny segmentor on a generated set, on single images, and errors."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import wsss_plugin  # noqa: F401  (the toolbox imports only after it)

# isort: split
from mmengine.config import Config
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.registry import MODELS
from PIL import Image

from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.models.segmentors.cam_prediction import add_cam_predictions

_TOOL = Path(__file__).parents[2] / 'tools' / 'draw_panels.py'
_CLASSES = ShapesGenerator.CLASSES
_NUM_CLASSES = len(_CLASSES) + 1
_CONFIG = """
default_scope = 'mmseg'
work_dir = {work_dir!r}
custom_hooks = [dict(type='EMAHook')]
model = dict(
    type='TinyPanelSegmentor',
    num_classes={num_classes},
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ShapesTagDataset',
        ann_file='ImageSets/Segmentation/val.txt',
        data_root={root!r},
        test_mode=True,
        pipeline=[
            dict(type='LoadImageOrRaise'),
            dict(type='Resize', scale=(32, 32), keep_ratio=False),
            dict(type='LoadAnnotations'),
            dict(type='PackWSSSInputs'),
        ],
    ),
)
test_evaluator = dict(type='WSSSMetric', cam_threshold=0.45)
test_cfg = dict(type='TestLoop')
"""


class TinyPanelSegmentor(BaseSegmentor):
    """One convolution; CAMs where asked for."""

    align_corners = False

    def __init__(self, num_classes, data_preprocessor=None, test_cfg=None):
        super().__init__(data_preprocessor)
        self.test_cfg = test_cfg or {}
        self.conv = torch.nn.Conv2d(3, num_classes, 3, padding=1)

    def extract_feat(self, inputs):
        return self.conv(inputs)

    encode_decode = _forward = extract_feat

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def predict(self, inputs, data_samples=None):
        logits = self.conv(inputs)
        if self.test_cfg.get('cam'):
            add_cam_predictions(data_samples, {'cam': logits[:, 1:].sigmoid()})
        return self.postprocess_result(logits, data_samples)


@pytest.fixture(autouse=True)
def _registered():
    if 'TinyPanelSegmentor' not in MODELS:
        MODELS.register_module(module=TinyPanelSegmentor)


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(_TOOL))['main']


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('panels') / 'shapes'
    ShapesGenerator(ShapesConfig(train=1, val=3, size=48)).write(folder)
    return folder


@pytest.fixture
def files(root, tmp_path):
    def write(checkpoint_classes=_NUM_CLASSES):
        config = tmp_path / 'tiny.py'
        config.write_text(
            _CONFIG.format(
                root=str(root), work_dir=str(tmp_path / 'work'), num_classes=_NUM_CLASSES
            )
        )
        checkpoint = tmp_path / 'tiny.pth'
        torch.manual_seed(0)
        weights = TinyPanelSegmentor(checkpoint_classes).state_dict()
        torch.save({'state_dict': weights, 'meta': {}}, checkpoint)
        return [str(config), str(checkpoint), '--out', str(tmp_path / 'out')]

    return write


def _widths(folder):
    return {path.name: Image.open(path).width for path in sorted(folder.glob('*.png'))}


def test_draws_the_test_set(main, files, tmp_path, capsys):
    assert main([*files(), '--num', '8']) == 4
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == 'pictures=4'
    widths = _widths(tmp_path / 'out')
    # image, ground truth, CAM, segmentation
    assert list(widths.values()) == [960] * 4
    assert 'sheet.png' in widths
    sheet = np.array(Image.open(tmp_path / 'out' / 'sheet.png'))
    assert sheet.std() > 10


def test_training_s_folder_is_left_alone(main, files, tmp_path):
    """The config that the training left there is what a resumed training and a test read."""
    left = tmp_path / 'work' / 'tiny.py'
    left.parent.mkdir()
    left.write_text('as it was')
    main([*files(), '--num', '1'])
    assert list(left.parent.iterdir()) == [left]
    assert left.read_text() == 'as it was'


def test_the_sheet_shows_the_first_panels(main, files, tmp_path, monkeypatch):
    monkeypatch.setitem(main.__globals__, 'SHEET', 2)
    assert main([*files(), '--num', '3']) == 4
    heights = {path.name: Image.open(path).height for path in (tmp_path / 'out').iterdir()}
    sheet = heights.pop('sheet.png')
    assert len(heights) == 3
    assert max(heights.values()) * 2 <= sheet < sum(heights.values())


def test_num_limits_the_images(main, files, tmp_path):
    assert main([*files(), '--num', '2']) == 3
    assert len(_widths(tmp_path / 'out')) == 3


def test_single_image_with_and_without_tags(main, files, tmp_path, root):
    photo = tmp_path / 'photo.png'
    Image.open(next((root / 'JPEGImages').iterdir())).resize((60, 45)).save(photo)
    arguments = [*files(), '--images', str(photo)]
    # Neither masks nor the data set itself are needed.
    arguments += ['--cfg-options', 'test_dataloader.dataset.data_root=missing']
    assert main(arguments) == 2
    assert _widths(tmp_path / 'out')['000_photo.png'] == 480
    assert main([*arguments, '--tags', _CLASSES[0], _CLASSES[2]]) == 2
    assert _widths(tmp_path / 'out')['000_photo.png'] == 720


def test_another_model_on_the_same_images(main, files, tmp_path):
    arguments = files()
    config, checkpoint = arguments[:2]
    out = tmp_path / 'out'
    compare = ['--num', '1', '--name', 'a', '--compare', 'b', config, checkpoint]
    assert main([*arguments, *compare]) == 2
    # image, ground truth, two CAMs, two segmentations
    assert set(_widths(out).values()) == {6 * 240}
    (path,) = out.glob('000_*.png')
    shown = np.array(Image.open(path))
    # The same weights make the same picture, up to its place between the dots.
    cells = [shown[60:200, left : left + 230].mean(axis=(0, 1)) for left in range(485, 1440, 240)]
    np.testing.assert_allclose(cells[0], cells[1], atol=2)
    np.testing.assert_allclose(cells[2], cells[3], atol=2)
    assert np.abs(cells[1] - cells[2]).max() > 10
    main([*arguments, *compare, '--hide-images'])
    hidden = np.array(Image.open(path))
    # The ground truth comes first, on grey.
    assert hidden.shape[1] == 5 * 240
    assert len(np.unique(hidden[80:180, 20:220].reshape(-1, 3), axis=0)) <= _NUM_CLASSES + 1
    with pytest.raises(SystemExit):
        main([*arguments, '--compare', 'first', config, checkpoint])


def test_models_of_other_classes_are_not_compared(main, files, tmp_path):
    arguments = files()
    content = torch.load(arguments[1], weights_only=True)
    classes = ('background', *reversed(_CLASSES))
    torch.save({**content, 'meta': {'dataset_meta': {'classes': classes}}}, tmp_path / 'other.pth')
    compare = ['--compare', 'b', arguments[0], str(tmp_path / 'other.pth')]
    with pytest.raises(
        ValueError, match=rf'same order for --compare, .*{_CLASSES[-1]}.*other\.pth'
    ):
        main([*arguments, *compare])


def test_errors(main, files, tmp_path):
    arguments = files()
    with pytest.raises(FileNotFoundError, match=r'none\.jpg'):
        main([*arguments, '--images', 'none.jpg'])
    with pytest.raises(ValueError, match=f'among {_CLASSES[0]}.*received unicorn'):
        main([*arguments, '--images', 'none.jpg', '--tags', 'unicorn'])
    with pytest.raises(FileNotFoundError, match=r'tiny\.pth2'):
        main([arguments[0], str(tmp_path / 'tiny.pth2')])
    with pytest.raises(ValueError, match=r'conv\.bias of shape \(7,\)'):
        main(files(checkpoint_classes=3))
    with pytest.raises(SystemExit):
        main([*arguments, '--num', '0'])
    with pytest.raises(SystemExit):
        main([*arguments, '--tags', _CLASSES[0]])


_PARTS = """
_base_ = './tiny.py'
backbone = dict(img_size=32, embed_dim=24, depth=2, num_heads=3)
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor=dict(type='MultiViewDataPreProcessor'),
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name='vit_tiny_patch16_224',
        num_classes={classes},
        model_args=backbone,
    ),
    decode_head=dict(type='LargeFOVHead', in_channels=24, channels=8, num_classes={classes} + 1),
    cams=dict(final=dict(type='AttentionCAMHead', in_channels=24)),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            filters=dict(noise=dict(type='GMMNoiseFilter', fewest=0.0, gap=0.0)),
        )
    ),
    terms=dict(cls=dict(type='ClassificationTerm')),
    multi_scale=dict(scales=(1.0,)),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10)
custom_hooks = []
"""


def test_what_the_parts_see(main, files, tmp_path, root, capsys):
    files()
    config = tmp_path / 'parts.py'
    config.write_text(_PARTS.format(classes=len(_CLASSES)))
    checkpoint = tmp_path / 'parts.pth'
    torch.save({'state_dict': MODELS.build(Config.fromfile(config).model).state_dict()}, checkpoint)
    arguments = [str(config), str(checkpoint), '--out', str(tmp_path / 'out'), '--num', '2']
    features = ['--features', 'class_to_patch.mean', 'clusters']
    assert main([*arguments, *features, '--filters']) == 3
    # image, ground truth, attention of classes, label before and after the filter, clusters
    assert set(_widths(tmp_path / 'out').values()) == {6 * 240}
    assert main([*arguments, '--filters', '--hide-images']) == 3
    assert set(_widths(tmp_path / 'out').values()) == {3 * 240}
    photo = str(next((root / 'JPEGImages').iterdir()))
    with pytest.raises(KeyError, match='name the classes by --tags'):
        main([*arguments, *features, '--images', photo])
    with pytest.raises(SystemExit):
        main([*arguments, *features, '--compare', 'other', str(config), str(checkpoint)])
    assert 'of one model' in capsys.readouterr().err
