from __future__ import annotations

import signal

import pytest
import torch
from mmengine.runner import Runner

from wsss_plugin.engine import ProgressKeeper

UNREADABLE = 20  # read first in the sixth iteration


@pytest.fixture
def unreadable(toy, monkeypatch):
    """Makes an image of the toy data set unreadable, and readable again."""
    read = toy.ToyDataset.__getitem__

    def read_most(self, index):
        if index == UNREADABLE:
            raise OSError('expected an image')
        return read(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(toy.ToyDataset, '__getitem__', read_most)
        yield patch


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in the foreground; a process in the background begins with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(config):
    config.pop('model_wrapper_cfg', None)
    runner = Runner.from_cfg(config)
    with ProgressKeeper.attached(runner):
        runner.train()
    return runner


def assert_resumed_equals_uninterrupted(toy, tmp_path):
    resumed = toy.toy_config(tmp_path / 'stopped')
    resumed.update(resume=True, experiment_name=resumed.experiment_name + 'b')
    received = run(resumed).model.state_dict()
    for name, weight in run(toy.toy_config(tmp_path / 'whole')).model.state_dict().items():
        torch.testing.assert_close(received[name], weight, rtol=1e-6, atol=1e-8)


def test_nothing_is_lost_when_data_cannot_be_read(toy, tmp_path, unreadable):
    config = toy.toy_config(tmp_path / 'stopped')
    with pytest.raises(OSError, match='expected an image'):
        run(config)
    saved = tmp_path / 'stopped' / 'iter_5.pth'
    assert (tmp_path / 'stopped' / 'last_checkpoint').read_text() == str(saved)
    assert (tmp_path / 'stopped' / 'iter_4.pth').is_file()
    unreadable.undo()
    assert_resumed_equals_uninterrupted(toy, tmp_path)


def _interrupt_at(patch, owner, name, call, times=1):
    """Presses Ctrl-C in a call of a method."""
    method, calls = getattr(owner, name), []

    def interrupted(self, *arguments, **kwargs):
        calls.append(arguments)
        for _ in range(times if len(calls) == call else 0):
            signal.raise_signal(signal.SIGINT)
        return method(self, *arguments, **kwargs)

    patch.setattr(owner, name, interrupted)


@pytest.mark.parametrize(
    ('owner', 'name', 'call', 'kept'),
    [
        ('ToyModel', 'forward', 6, 6),  # in the sixth iteration, which is finished first
        ('ToyDataset', '__getitem__', 21, 5),  # while its first image is read
    ],
)
@pytest.mark.usefixtures('ctrl_c')
def test_nothing_is_lost_by_an_interruption(toy, tmp_path, owner, name, call, kept):
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_at(patch, getattr(toy, owner), name, call)
        with pytest.raises(KeyboardInterrupt, match=rf'is kept in .*iter_{kept}\.pth'):
            run(toy.toy_config(tmp_path / 'stopped'))
    saved = tmp_path / 'stopped' / f'iter_{kept}.pth'
    assert (tmp_path / 'stopped' / 'last_checkpoint').read_text() == str(saved)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_resumed_equals_uninterrupted(toy, tmp_path)


@pytest.mark.usefixtures('ctrl_c')
def test_a_second_interruption_ends_the_iteration_and_saves_nothing(toy, tmp_path, monkeypatch):
    _interrupt_at(monkeypatch, toy.ToyModel, 'forward', 3, times=2)
    with pytest.raises(KeyboardInterrupt, match='nothing was saved'):
        run(toy.toy_config(tmp_path))
    assert not list(tmp_path.glob('*.pth'))


def test_ignored_interruptions_stay_ignored(toy, tmp_path, monkeypatch):
    """As in a job in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _interrupt_at(monkeypatch, toy.ToyModel, 'forward', 1)
        run(toy.toy_config(tmp_path, max_iters=2))
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('unreadable')
def test_a_file_of_another_run_does_not_pass_for_this_one(toy, tmp_path):
    """Nor does one that appears while the run goes on."""
    (tmp_path / 'iter_5.pth').write_bytes(b'of another run')
    with pytest.raises(OSError, match='expected an image'):
        run(toy.toy_config(tmp_path))
    assert torch.load(tmp_path / 'iter_5.pth', weights_only=True)['meta']['iter'] == 5


@pytest.mark.usefixtures('unreadable')
def test_what_this_run_has_saved_is_not_saved_again(toy, tmp_path, monkeypatch):
    saved = []
    save = Runner.save_checkpoint

    def count(self, out_dir, filename, *args, **kwargs):
        saved.append(filename)
        return save(self, out_dir, filename, *args, **kwargs)

    monkeypatch.setattr(Runner, 'save_checkpoint', count)
    config = toy.toy_config(tmp_path)
    config.default_hooks.checkpoint.interval = 5
    with pytest.raises(OSError, match='expected an image'):
        run(config)
    assert saved == ['iter_5.pth']


@pytest.mark.usefixtures('unreadable')
def test_another_process_than_the_first_saves_too(toy, tmp_path, monkeypatch):
    """All have the same weights, and the first one waits for the one that has stopped."""
    config = toy.toy_config(tmp_path)
    config.default_hooks.checkpoint.interval = -1
    for module in ('mmengine.dist.utils', 'mmengine.dist.dist'):
        monkeypatch.setattr(f'{module}.get_rank', lambda *_: 1)
    with pytest.raises(OSError, match='expected an image'):
        run(config)
    assert torch.load(tmp_path / 'iter_4.pth', weights_only=True)['meta']['iter'] == 4
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_4.pth')


@pytest.mark.usefixtures('unreadable')
def test_nothing_is_saved_before_the_first_iteration(toy, tmp_path):
    config = toy.toy_config(tmp_path, batch_size=32)
    with pytest.raises(OSError, match='expected an image'):
        run(config)
    assert not list(tmp_path.glob('*.pth'))


def test_what_fails_before_the_loop_is_built_fails_once(toy, tmp_path, monkeypatch):
    built = []

    def fail(_dataset):
        built.append(1)
        raise OSError('expected a folder')

    monkeypatch.setattr(toy.ToyDataset, '__init__', fail)
    with pytest.raises(OSError, match='expected a folder'):
        run(toy.toy_config(tmp_path))
    assert len(built) == 1


def test_an_error_inside_an_iteration_saves_nothing(toy, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError('out of memory')

    monkeypatch.setattr(toy.ToyModel, 'forward', fail)
    with pytest.raises(RuntimeError, match='out of memory'):
        run(toy.toy_config(tmp_path))
    assert not list(tmp_path.glob('*.pth'))


def test_an_error_of_a_hook_saves_nothing(toy, tmp_path, monkeypatch):
    def fail(_hook, _runner, batch_idx, **_kwargs):
        if batch_idx == 2:
            raise RuntimeError('no space left')

    monkeypatch.setattr(toy.RecordHook, 'after_train_iter', fail)
    with pytest.raises(RuntimeError, match='no space left'):
        run(toy.toy_config(tmp_path))
    assert not list(tmp_path.glob('*.pth'))


def test_it_is_the_last_hook(toy, tmp_path):
    runner = run(toy.toy_config(tmp_path, max_iters=1))
    assert isinstance(runner.hooks[-1], ProgressKeeper)
