"""Loads the tools, which are scripts, and the toy training."""

import importlib.util
import sys
from pathlib import Path

import pytest

from wsss_plugin.datasets import ShapesConfig, ShapesGenerator

ROOT = Path(__file__).parents[2]


def _load(name, path):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope='session')
def tool():
    """Loads a tool by its name."""
    return lambda name: _load(f'wsss_tool_{name}', ROOT / 'tools' / f'{name}.py')


@pytest.fixture(scope='session')
def toy():
    return _load('toy_training', ROOT / 'tests' / 'engine' / 'toy_training.py')


@pytest.fixture(scope='session')
def small():
    """Options that shrink the training on the shapes to images of 48 pixels and every loss."""
    return [
        'scale_steps=False',
        'image_size=48',
        'train_dataloader.batch_size=2',
        'train_cfg.val_interval=100',
        'default_hooks.logger.interval=1',
        'model.terms.ctc.local_crops.size=16',
        'model.terms.ptc.start=1',
        'model.terms.ctc.start=1',
        'model.terms.seg.start=1',
        'model.terms.consistency.start=1',
        'train_dataloader.dataset.pipeline.1.crop_size=48',
        'model.backbone.vit.model_args.img_size=48',
    ]


@pytest.fixture(scope='session')
def shapes(tmp_path_factory):
    """A data set of eight training and two validation images of 48 pixels."""
    folder = tmp_path_factory.mktemp('shapes') / 'data'
    ShapesGenerator(ShapesConfig(train=8, val=2, size=48)).write(folder)
    return folder


@pytest.fixture
def run(tool, small, tmp_path):
    """Trains or tests on the shapes by a tool, in this process."""
    runs = []

    def run(name, data, *options, flags=(), checkpoint=None, work_dir=tmp_path / 'work'):
        # The toolbox keeps logs and visualizers by their names as long as the process lives.
        runs.append(name)
        names = (
            f'{key}={tmp_path.name}{len(runs)}' for key in ('experiment_name', 'visualizer.name')
        )
        arguments = [str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')]
        arguments += [*([] if checkpoint is None else [str(checkpoint)]), *flags]
        arguments += [] if work_dir is None else ['--work-dir', str(work_dir)]
        arguments += ['--cfg-options', *small]
        arguments += [*names, *options]
        arguments += [
            f'{split}_dataloader.dataset.data_root={data}' for split in ('train', 'val', 'test')
        ]
        return tool(name).main(arguments)

    return run


@pytest.fixture
def checkpoint(run, shapes, tmp_path):
    """A checkpoint after one iteration."""
    run('train', shapes, 'train_cfg.max_iters=1', work_dir=tmp_path / 'trained')
    return tmp_path / 'trained' / 'iter_1.pth'


@pytest.fixture
def toy_config_file(toy, tmp_path):
    """The toy training as a config file."""
    config = toy.toy_config(tmp_path / 'work', constant=True)
    config.pop('model_wrapper_cfg')
    config.custom_imports = {'imports': ['toy_training'], 'allow_failed_imports': False}
    file = tmp_path / 'toy.py'
    config.dump(file)
    return file
