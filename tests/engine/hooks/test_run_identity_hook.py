"""Whole trainings: which checkpoint is continued, and what becomes of an earlier run's."""

from __future__ import annotations

import shutil

import pytest
import torch
from mmengine.runner import Runner

from wsss_plugin.engine.run_config import set_resume
from wsss_plugin.engine.run_identity import RunCheckpoint, read_run

NAMES = iter(range(1000))


@pytest.fixture
def train(toy, tmp_path):
    """Trains the toy in a folder and returns the checkpoint."""

    def train(folder='work', resume=None, max_iters=4, by_config=False, **changes):
        config = toy.toy_config(tmp_path / folder, max_iters=max_iters)
        config.custom_hooks += [dict(type='RunIdentityHook')]
        config.default_hooks.checkpoint.interval = 2
        config.update(experiment_name=f'{config.experiment_name}-{next(NAMES)}', **changes)
        config.pop('model_wrapper_cfg')
        if by_config:
            config.resume = True
        else:
            set_resume(config, resume)
        Runner.from_cfg(config).train()
        return load(tmp_path / folder / f'iter_{max_iters}.pth')

    return train


def load(path):
    return torch.load(path, weights_only=True)


def equal(a, b):
    return all(
        torch.equal(a['state_dict'][name], b['state_dict'][name]) for name in a['state_dict']
    )


def test_the_name_is_in_the_folder_and_the_checkpoints_and_is_kept_by_resuming(train, tmp_path):
    first = train()
    assert read_run(tmp_path / 'work')['run'] == first['meta']['run']
    second = train(resume='auto', max_iters=6)
    assert second['meta']['run'] == first['meta']['run']
    assert read_run(tmp_path / 'work')['continues'] == 'iter_4.pth'
    assert equal(second, train('whole', max_iters=6))
    assert not list(tmp_path.glob('*/previous-*'))


def test_an_earlier_run_in_the_folder_is_moved_aside(train, tmp_path):
    earlier = train(max_iters=6)
    train(max_iters=4, randomness=dict(seed=1))
    assert sorted(path.name for path in (tmp_path / 'work').glob('*.pth')) == [
        'iter_2.pth',
        'iter_4.pth',
    ]
    kept = tmp_path / 'work' / 'previous-1'
    assert load(kept / 'iter_6.pth')['meta']['run'] == earlier['meta']['run']
    assert read_run(kept)['run'] == earlier['meta']['run'] != read_run(tmp_path / 'work')['run']
    # What is continued now is the later run.
    assert train(resume='auto', max_iters=6)['meta']['run'] == read_run(tmp_path / 'work')['run']


def test_a_folder_without_a_complete_checkpoint_starts_at_0(train, tmp_path):
    work = tmp_path / 'work'
    work.mkdir()
    (work / 'iter_9.pth').write_bytes(b'PK\x03\x04 cut short')
    (work / 'last_checkpoint').write_text(str(work / 'iter_9.pth'))
    assert equal(train(resume='auto'), train('whole'))
    assert (work / 'previous-1' / 'iter_9.pth').is_file()


def test_a_truncated_checkpoint_falls_back_to_the_one_before(train, tmp_path):
    whole = train()
    newest = tmp_path / 'work' / 'iter_4.pth'
    newest.write_bytes(newest.read_bytes()[:-300])
    assert equal(train(resume='auto'), whole)
    assert (tmp_path / 'work' / 'previous-1' / 'iter_4.pth').stat().st_size < newest.stat().st_size


def test_a_copied_folder_continues_with_its_own_files(train, tmp_path):
    train()
    shutil.copytree(tmp_path / 'work', tmp_path / 'copy')
    train(resume='auto', max_iters=6)
    before = {path.name: path.read_bytes() for path in (tmp_path / 'work').glob('*.pth')}
    assert equal(train('copy', resume='auto', max_iters=6), load(tmp_path / 'work' / 'iter_6.pth'))
    assert read_run(tmp_path / 'copy')['continues'] == 'iter_4.pth'
    assert before == {path.name: path.read_bytes() for path in (tmp_path / 'work').glob('*.pth')}


def test_the_runner_s_own_search_does_not_leave_the_folder(train, tmp_path, monkeypatch):
    """``resume=True`` in a config, without the tool."""
    train(max_iters=4)
    shutil.copytree(tmp_path / 'work', tmp_path / 'copy')
    (tmp_path / 'copy' / 'iter_4.pth').unlink()
    read, seen = RunCheckpoint.read, []

    def count(path):
        seen.append(path.name)
        return read(path)

    monkeypatch.setattr(RunCheckpoint, 'read', staticmethod(count))
    assert train('copy', by_config=True)['meta']['iter'] == 4
    assert seen == ['iter_2.pth']


def test_a_run_may_start_from_a_checkpoint_of_its_own_folder(train, tmp_path):
    first = train()
    start = tmp_path / 'work' / 'iter_4.pth'
    second = train(load_from=str(start), max_iters=3)
    assert start.is_file()
    assert second['meta']['run'] != first['meta']['run']
    assert (tmp_path / 'work' / 'previous-1' / 'iter_2.pth').is_file()


def test_later_checkpoints_do_not_outlive_a_return_to_an_earlier_one(train, tmp_path):
    train(max_iters=6)
    train(resume=str(tmp_path / 'work' / 'iter_2.pth'), max_iters=3)
    assert (tmp_path / 'work' / 'previous-1' / 'iter_6.pth').is_file()
    assert train(resume='auto', max_iters=4)['meta']['iter'] == 4
