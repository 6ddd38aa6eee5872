from __future__ import annotations

import os

import pytest
import torch
from mmengine.runner import Runner

from wsss_plugin.errors import ConfigError

BATCH, RESUMED_AT, END = 4, 4, 8


@pytest.fixture
def seen(toy, tmp_path, monkeypatch):
    """Notes what is loaded, in whatever process, and makes every sample depend on its seed."""
    file = tmp_path / 'loaded.txt'

    def load(_dataset, index):
        with file.open('a') as stream:
            stream.write(f'{index.seed}\n')
        generator = torch.Generator().manual_seed(index.seed)
        return {'inputs': torch.randn(4, generator=generator), 'data_samples': float(index % 3)}

    monkeypatch.setattr(toy.ToyDataset, '__getitem__', load)
    return file


def train(toy, work_dir, max_iters=END, resume=False, workers=0, persistent=False, **options):
    config = toy.toy_config(work_dir, batch_size=BATCH, **options)
    config.train_cfg.max_iters = max_iters
    config.train_dataloader.update(num_workers=workers, persistent_workers=persistent)
    config.train_dataloader.sampler = {'type': 'ReproducibleInfiniteSampler', 'seed': 0}
    config.custom_hooks.append({'type': 'SkipTrainedDataHook'})
    config.update(resume=resume, experiment_name=f'{work_dir.name}{resume}{os.urandom(4).hex()}')
    return toy.train(config)[1].model.state_dict()


@pytest.mark.usefixtures('seen')
@pytest.mark.parametrize('loader', [{}, {'workers': 2}, {'workers': 2, 'persistent': True}])
@pytest.mark.parametrize('options', [{}, {'accumulative_counts': 2}])
def test_resumed_training_is_exact(toy, tmp_path, loader, options):
    """The loader may change in between, and the uninterrupted training has no workers."""
    whole = train(toy, tmp_path / 'whole', **options)
    train(toy, tmp_path / 'parts', RESUMED_AT, **options)
    resumed = train(toy, tmp_path / 'parts', resume=True, **loader, **options)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(weight, resumed[name]) for name, weight in whole.items())


def test_nothing_is_loaded_that_was_trained_on(toy, tmp_path, seen):
    train(toy, tmp_path)
    whole = seen.read_text().split()
    seen.unlink()
    train(toy, tmp_path, RESUMED_AT)
    seen.unlink()
    train(toy, tmp_path, resume=True)
    assert seen.read_text().split() == whole[BATCH * RESUMED_AT :]


def test_other_samplers_are_left_to_the_toolbox(toy, tmp_path):
    whole = toy.train(toy.toy_config(tmp_path / 'whole'))[1].model.state_dict()
    for max_iters in (RESUMED_AT, END):
        config = toy.toy_config(tmp_path / 'parts')
        config.train_cfg.max_iters = max_iters
        config.custom_hooks.append({'type': 'SkipTrainedDataHook'})
        config.update(resume=max_iters == END, experiment_name=f'{tmp_path.name}{max_iters}')
        resumed = toy.train(config)[1].model.state_dict()
    assert all(torch.equal(weight, resumed[name]) for name, weight in whole.items())


def test_a_loop_over_epochs_is_left_alone(toy, tmp_path):
    config = toy.toy_config(tmp_path, constant=True)
    config.pop('model_wrapper_cfg')
    config.custom_hooks.append({'type': 'SkipTrainedDataHook'})
    config.train_dataloader.sampler = {'type': 'DefaultSampler', 'shuffle': False}
    config.default_hooks.checkpoint.update(by_epoch=True, interval=1)
    for epochs in (1, 2):
        config.train_cfg = {'type': 'EpochBasedTrainLoop', 'max_epochs': epochs}
        config.update(resume=epochs == 2, experiment_name=f'{tmp_path.name}{epochs}')
        runner = Runner.from_cfg(config)
        runner.train()
    assert (runner.epoch, runner.iter) == (2, 16)


@pytest.mark.parametrize('kind', ['InfiniteSampler', 'ReproducibleInfiniteSampler'])
@pytest.mark.parametrize('loop', [{'type': 'EpochBasedTrainLoop'}, {'by_epoch': True}])
def test_epochs_that_never_end_are_refused(toy, tmp_path, kind, loop):
    config = toy.toy_config(tmp_path, constant=True)
    config.pop('model_wrapper_cfg')
    config.custom_hooks.append({'type': 'SkipTrainedDataHook'})
    config.train_dataloader.sampler = {'type': kind}
    config.train_cfg = {**loop, 'max_epochs': 1}
    config.experiment_name = f'{tmp_path.name}{kind}{len(loop)}{os.urandom(4).hex()}'
    with pytest.raises(ConfigError, match=rf'received {kind}, whose first epoch would last'):
        Runner.from_cfg(config).train()
