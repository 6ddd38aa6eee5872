from __future__ import annotations

import errno
import os

import pytest
import torch
from mmengine.runner import Runner

from wsss_plugin import whole_file
from wsss_plugin.engine.hooks.late_removal import LateRemoval


@pytest.fixture
def train(toy, tmp_path):
    def train(max_iters=6, hooks=(), **options):
        config = toy.toy_config(tmp_path, max_iters=max_iters)
        config.custom_hooks += list(hooks)
        config.default_hooks.checkpoint.update(
            type='WholeCheckpointHook', interval=2, max_keep_ckpts=1, **options
        )
        config.pop('model_wrapper_cfg')
        config.experiment_name += str(len(os.listdir(tmp_path)))
        runner = Runner.from_cfg(config)
        runner.train()
        return runner

    return train


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


def test_keeps_as_many_as_it_should(train, tmp_path):
    train()
    assert names(tmp_path) == ['iter_6.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_6.pth')


def test_the_list_is_right_over_several(train, tmp_path):
    train(max_iters=8)
    assert names(tmp_path) == ['iter_8.pth']


@pytest.mark.parametrize('step', ['write', 'flush', 'rename'])
def test_a_full_disk_leaves_the_old_one(train, tmp_path, monkeypatch, step):
    owner, name = {
        'write': (torch, 'save'),
        'flush': (whole_file.os, 'fsync'),
        'rename': (whole_file.Path, 'replace'),
    }[step]
    original = getattr(owner, name)

    def fail(*args, **kwargs):
        if (tmp_path / 'iter_2.pth').is_file():
            raise OSError(errno.ENOSPC, 'No space left on device')
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(OSError, match='No space left'):
        train()
    assert names(tmp_path) == ['iter_2.pth']
    assert torch.load(tmp_path / 'iter_2.pth', weights_only=True)['meta']['iter'] == 2
    assert not list(tmp_path.glob('.*.part'))


def test_one_that_was_left_is_removed_after_resuming(train, tmp_path, monkeypatch):
    """A training killed between saving and removing."""
    with monkeypatch.context() as patch:
        patch.setattr(LateRemoval, 'remove_if_there', lambda *_: None)
        train(max_iters=4)
    assert names(tmp_path) == ['iter_2.pth', 'iter_4.pth']
    kept = torch.load(tmp_path / 'iter_4.pth', weights_only=True)
    assert kept['message_hub']['runtime_info']['keep_ckpt_ids'] == [2, 4]


def test_the_best_one_is_removed_last(toy, train, tmp_path, monkeypatch):
    """Scores are given to the hook as a validation would."""
    seen = []
    save = Runner.save_checkpoint

    def look(self, out_dir, filename, *args, **kwargs):
        seen.append((filename, names(tmp_path)))
        return save(self, out_dir, filename, *args, **kwargs)

    monkeypatch.setattr(Runner, 'save_checkpoint', look)
    after = toy.RecordHook.after_train_iter

    def validate(self, runner, *args, **kwargs):
        after(self, runner, *args, **kwargs)
        saver = next(h for h in runner.hooks if type(h).__name__ == 'WholeCheckpointHook')
        if runner.iter in (1, 3):
            saver.after_val_epoch(runner, {'mIoU': float(runner.iter)})

    monkeypatch.setattr(toy.RecordHook, 'after_train_iter', validate)
    monkeypatch.setattr(toy.RecordHook, 'priority', 'LOWEST')
    train(max_iters=4, save_best='mIoU', rule='greater')
    best = [present for filename, present in seen if filename == 'best_mIoU_iter_3.pth']
    assert 'best_mIoU_iter_1.pth' in best[0]
    assert [name for name in names(tmp_path) if 'best' in name] == ['best_mIoU_iter_3.pth']
