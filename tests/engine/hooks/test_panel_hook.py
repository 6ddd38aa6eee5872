"""Panels at the interval and at the end, which leave the training as it is."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from wsss_plugin.engine.hooks import PanelHook
from wsss_plugin.errors import ConfigError

_COLOURS = Path(__file__).parents[1] / 'prediction' / 'colour_segmentor.py'


@pytest.fixture
def runner(tmp_path):
    name = 'colour_segmentor'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _COLOURS)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    colours = sys.modules[name]
    config, weights = colours.write_model(tmp_path)
    image, label = colours.colour_image(40, 64)
    for folder, picture in (('images', image), ('masks', label)):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / 'a.png')
    (tmp_path / 'tags.csv').write_text('image,tags\na,red;blue\n')
    init_default_scope('mmseg')
    config = Config.fromfile(config)
    config.val_dataloader = dict(
        dataset=dict(
            type='ImageTagDataset',
            data_root=str(tmp_path),
            ann_file='tags.csv',
            metainfo=dict(classes=colours.CLASSES, palette=colours.PALETTE),
            pipeline=[],
        )
    )
    model = sys.modules[name].MODELS.build(config.model)
    model.load_state_dict(torch.load(weights)['state_dict'])
    drawn = {}
    return SimpleNamespace(
        cfg=config,
        model=model.train(),
        iter=0,
        max_iters=5,
        visualizer=SimpleNamespace(add_image=lambda _, image, step: drawn.update({step: image})),
        drawn=drawn,
    )


def _train(hook, runner):
    hook.before_train(runner)
    for iteration in range(runner.max_iters):
        runner.iter = iteration
        hook.after_train_iter(runner, iteration)
    return runner.drawn


def test_draws_what_the_model_sees_and_leaves_it_as_it_is(runner):
    state = torch.get_rng_state()
    drawn = _train(PanelHook(num=3, interval=2), runner)
    assert list(drawn) == [2, 4, 5]
    # Image, ground truth and segmentation, which is right: red on the left.
    panel = drawn[5].astype(int)
    assert panel.shape[1] == 3 * 240
    truth, predicted = panel[:, 240:480], panel[:, 480:]
    assert np.abs(truth[60:140] - predicted[60:140]).mean() < 3
    assert runner.model.training
    assert runner.model.test_cfg is None
    assert torch.equal(torch.get_rng_state(), state)


def test_five_times_by_default_and_without_masks(runner, tmp_path):
    (tmp_path / 'masks' / 'a.png').unlink()
    (tmp_path / 'masks').rmdir()
    drawn = _train(PanelHook(), runner)
    assert list(drawn) == [1, 2, 3, 4, 5]
    assert drawn[1].shape[1] == 2 * 240


@pytest.mark.parametrize('wrong', [{'num': 0}, {'interval': 0}, {'split': 'all'}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ConfigError, match=f'{next(iter(wrong))} of PanelHook'):
        PanelHook(**wrong)


def test_a_config_without_data_is_refused():
    with pytest.raises(ConfigError, match='test_dataloader'):
        PanelHook().before_train(SimpleNamespace(cfg=Config({})))
