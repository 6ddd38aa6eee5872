from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from wsss_plugin.engine import run_identity
from wsss_plugin.engine.run_identity import (
    RunCheckpoint,
    latest_checkpoint,
    new_name,
    read_run,
    set_aside,
    write_run,
)


def save(path, run=None, iteration=None, **changes):
    """What a training saves, as small as it can be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    iteration = int(path.stem.rpartition('_')[2]) if iteration is None else iteration
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    meta = dict(iter=iteration, epoch=0, **({} if run is None else dict(run=run)))
    content = dict(state_dict={'a': torch.ones(99)}, optimizer={}, message_hub=hub, meta=meta)
    torch.save({**content, **changes}, path)
    return path


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def note(folder, text):
    (folder / 'last_checkpoint').write_text(str(text))


def test_a_checkpoint_says_what_it_is(tmp_path):
    path = save(tmp_path / 'iter_4.pth', 'abc')
    assert RunCheckpoint.read(path) == RunCheckpoint(path, 'abc', 4)
    torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)
    assert RunCheckpoint.read(path) == RunCheckpoint(path, 'abc', 4)


def test_names_are_no_matter_of_the_seed():
    names = []
    for _ in range(2):
        torch.manual_seed(0)
        names.append(new_name())
    assert names[0] != names[1]
    assert len(names[0]) == 12


@pytest.mark.parametrize('text', ['', '{', '[]', '{"run": 3}', '[' * 100_000, '\udcff'])
def test_a_broken_note_of_the_run_counts_as_none(tmp_path, text):
    (tmp_path / 'run.json').write_bytes(text.encode('utf-8', 'surrogateescape'))
    assert read_run(tmp_path) == {}
    write_run(tmp_path, 'abc', 'iter_4.pth')
    assert read_run(tmp_path) == {'run': 'abc', 'continues': 'iter_4.pth'}


@pytest.mark.parametrize('text', [None, '', 'iter_', '\x00\xff', '/else/where/iter_9.pth', '..'])
def test_a_broken_note_of_the_last_one_does_not_matter(tmp_path, text):
    if text is not None:
        (tmp_path / 'last_checkpoint').write_bytes(text.encode('latin-1'))
    save(tmp_path / 'iter_4.pth')
    save(tmp_path / 'iter_10.pth')
    assert latest_checkpoint(tmp_path)[0].path == tmp_path / 'iter_10.pth'


def test_the_noted_one_goes_first(tmp_path):
    """A training that was resumed from an earlier one leaves later files behind."""
    for iteration in (4, 8):
        save(tmp_path / f'iter_{iteration}.pth')
    note(tmp_path, tmp_path / 'iter_4.pth')
    assert latest_checkpoint(tmp_path)[0].iteration == 4


def test_a_truncated_one_is_passed_over_and_named(tmp_path):
    for iteration in (4, 8):
        save(tmp_path / f'iter_{iteration}.pth')
    note(tmp_path, tmp_path / 'iter_8.pth')
    cut(tmp_path / 'iter_8.pth')
    found, passed = latest_checkpoint(tmp_path)
    assert found.iteration == 4
    assert len(passed) == 1
    assert passed[0].startswith('iter_8.pth cannot be resumed from')
    cut(tmp_path / 'iter_4.pth')
    assert latest_checkpoint(tmp_path)[0] is None


def test_weights_alone_are_passed_over(tmp_path):
    torch.save({'state_dict': {}, 'meta': {'iter': 9, 'epoch': 0}}, tmp_path / 'iter_9.pth')
    save(tmp_path / 'best_mIoU_iter_8.pth', iteration=8)
    save(tmp_path / 'iter_4.pth')
    assert latest_checkpoint(tmp_path)[0].iteration == 4


@pytest.mark.parametrize('style', ['{}/iter_8.pth', 'C:\\old\\iter_8.pth', 'old/iter_8.pth'])
def test_a_copied_folder_is_a_folder_of_its_own(tmp_path, style):
    old = tmp_path / 'old'
    for iteration in (4, 8):
        save(old / f'iter_{iteration}.pth', 'abc')
    write_run(old, 'abc')
    note(old, style.format(old))
    new = Path(shutil.copytree(old, tmp_path / 'new'))
    assert latest_checkpoint(new)[0].path == new / 'iter_8.pth'
    (new / 'iter_8.pth').unlink()
    assert latest_checkpoint(new)[0].path == new / 'iter_4.pth'
    (new / 'iter_4.pth').unlink()
    assert latest_checkpoint(new) == (None, [])


def test_checkpoints_of_another_run_are_passed_over(tmp_path):
    save(tmp_path / 'iter_9.pth', 'other')
    save(tmp_path / 'iter_8.pth')
    note(tmp_path, tmp_path / 'iter_9.pth')
    write_run(tmp_path, 'this')
    found, passed = latest_checkpoint(tmp_path)
    assert found is None
    assert 'iter_9.pth is of the run other' in passed[0]
    # Saved by a version without names, and resumed by this one.
    write_run(tmp_path, 'this', 'iter_8.pth')
    assert latest_checkpoint(tmp_path)[0].iteration == 8
    save(tmp_path / 'iter_3.pth', 'this')
    (tmp_path / 'iter_8.pth').unlink()
    assert latest_checkpoint(tmp_path)[0].iteration == 3


def test_what_is_found_is_logged(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(run_identity, 'print_log', lambda text, **_: said.append(text))
    assert run_identity.find_checkpoint(tmp_path) is None
    assert said.pop().endswith(
        'no complete checkpoint of its run; the training begins at iteration 0'
    )
    path = save(tmp_path / 'iter_4.pth', 'abc')
    assert run_identity.find_checkpoint(str(tmp_path)) == str(path)
    assert said == [f'the run abc goes on at iteration 4, from {path}']


def test_an_earlier_run_is_set_aside(tmp_path):
    names = ['best_mIoU_iter_4.pth', 'epoch_1.pth', 'iter_4.pth', 'iter_8.pth', 'last_checkpoint']
    for name in (*names, 'run.json', 'notes.txt', 'config.py'):
        (tmp_path / name).write_text(name)
    (tmp_path / 'previous-x').mkdir()
    assert set_aside(tmp_path) == tmp_path / 'previous-1'
    assert sorted(path.name for path in (tmp_path / 'previous-1').iterdir()) == [*names, 'run.json']
    left = ['config.py', 'notes.txt', 'previous-1', 'previous-x']
    assert sorted(path.name for path in tmp_path.iterdir()) == left
    assert set_aside(tmp_path) is None
    (tmp_path / 'iter_4.pth').touch()
    assert set_aside(tmp_path) == tmp_path / 'previous-2'


def test_what_a_run_starts_from_stays(tmp_path):
    for iteration in (4, 8):
        save(tmp_path / f'iter_{iteration}.pth')
    assert set_aside(tmp_path, [tmp_path / 'iter_8.pth']) == tmp_path / 'previous-1'
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_8.pth']
    save(tmp_path / 'iter_4.pth')
    assert set_aside(tmp_path, after=4) == tmp_path / 'previous-2'
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_4.pth']
