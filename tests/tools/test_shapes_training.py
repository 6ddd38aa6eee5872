"""The whole method from the command line: several processes, interruption, no masks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from processes import run_forked, run_two_processes

from wsss_plugin.datasets import ShapesConfig, ShapesGenerator

pytestmark = pytest.mark.training
CONFIG = Path(__file__).parents[2] / 'configs' / 'dual_vit_r18_shapes.py'
STEPS = 4
SAVED = 'default_hooks.checkpoint.interval=2'


@pytest.fixture(scope='module')
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('shapes') / 'data'
    ShapesGenerator(ShapesConfig(train=16, val=4, size=48)).write(folder)
    # Training from tags must not need a mask.
    shutil.rmtree(folder / 'SegmentationClass')
    return folder


@pytest.fixture(scope='module')
def train(tool, small, shapes):
    """Trains by tools/train.py in copies of this process; dist_train.sh has a test of its own."""
    main = tool('train').main

    def train(work_dir, *options, processes=1, resume=False, max_iters=STEPS):
        arguments = [str(CONFIG), '--work-dir', str(work_dir), *(['--resume'] if resume else [])]
        arguments += ['--launcher', 'pytorch'] if processes > 1 else []
        # A process keeps its visualizers by name, and its copies have them.
        arguments += ['--cfg-options', *small, *options, f'visualizer.name={work_dir}']
        # At the config's rate a CNN of unlucky first weights diverges on images of 48 pixels (loss
        # 0.7, 4.7, 16), and rounding grows ten thousand times in a step; the toolboxes draw
        # differently.
        arguments += [f'train_cfg.max_iters={max_iters}', 'optim_wrapper.optimizers.cnn.lr=0.01']
        arguments += [f'{name}_dataloader.dataset.data_root={shapes}' for name in ('train', 'val')]
        if processes == 1:
            run_forked([lambda: main(arguments)], work_dir)
        else:
            run_two_processes(lambda _: main(arguments), work_dir)

    return train


def scalars(work_dir):
    """Logged values by iteration, of all the runs in a work folder."""
    logged = {}
    for path in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            values = json.loads(line)
            logged[values['step']] = values
    return logged


def compared(values):
    return {
        name: value
        for name, value in values.items()
        if name.startswith('loss') or name.endswith('lr') or name == 'high_threshold'
    }


def weights(work_dir):
    path = Path(work_dir) / f'iter_{STEPS}.pth'
    return torch.load(path, map_location='cpu', weights_only=True)


@pytest.fixture(scope='module')
def uninterrupted(train, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('uninterrupted')
    train(work_dir, 'train_dataloader.batch_size=4')
    return work_dir


@pytest.fixture(scope='module')
def interrupted(train, tmp_path_factory):
    """The first two iterations."""
    work_dir = tmp_path_factory.mktemp('interrupted')
    # The schedules keep the full length; only the run stops early.
    options = [SAVED, 'train_dataloader.batch_size=4', 'custom_hooks.0.total=4']
    train(work_dir, *options, max_iters=2)
    return work_dir


def test_all_losses_are_trained_without_masks(uninterrupted):
    last = scalars(uninterrupted)[STEPS]
    names = ('cls_final', 'cls_aux', 'cls_cnn', 'ptc', 'ctc', 'seg', 'consistency_aux')
    learning = {name for name, value in last.items() if name.startswith('loss_') and value > 0}
    assert learning == {f'loss_{name}' for name in (*names, 'consistency_final')}


def test_two_processes_equal_one_on_the_same_total_batch(train, uninterrupted, tmp_path):
    train(tmp_path, 'train_dataloader.batch_size=2', processes=2)
    one, two = scalars(uninterrupted), scalars(tmp_path)
    assert sorted(one) == sorted(two) == list(range(1, STEPS + 1))
    for step, values in one.items():
        expected = compared(values)
        assert compared(two[step]) == pytest.approx(expected, abs=1e-5), step


@pytest.mark.parametrize(('processes', 'tolerance'), [(1, 1e-6), (2, 1e-5)])
def test_a_resumed_run_continues_as_if_uninterrupted(
    train, uninterrupted, interrupted, tmp_path, processes, tolerance
):
    shutil.copytree(interrupted, tmp_path, dirs_exist_ok=True)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_2.pth'))
    batch = f'train_dataloader.batch_size={4 // processes}'
    train(tmp_path, SAVED, batch, processes=processes, resume=True)
    expected, received = scalars(uninterrupted), scalars(tmp_path)
    for step in range(1, STEPS + 1):
        assert compared(received[step]) == pytest.approx(compared(expected[step]), abs=tolerance)
    whole, resumed = weights(uninterrupted)['state_dict'], weights(tmp_path)['state_dict']
    assert any(name.startswith('terms.ctc.teacher.') for name in whole)
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, atol=tolerance, rtol=0)
