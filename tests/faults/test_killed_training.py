"""Trainings killed at random moments and trainings on a full disk, then resumed."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import pytest
import torch

KILLS = 20


def _losses(folder):
    """The loss of every iteration that is in the logs; of several, the last."""
    found = {}
    for log in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in log.read_text().rpartition('\n')[0].splitlines():
            record = json.loads(line)
            if 'loss' in record:
                found[record['step']] = record['loss']
    return found


def _weights(folder):
    return torch.load(folder / 'iter_40.pth', weights_only=True)['state_dict']


def _kill(process, after, folder):
    """Kills a process some time after its first checkpoint, or lets it end."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        if (folder / 'last_checkpoint').is_file():
            time.sleep(after)
            break
        time.sleep(0.01)
    process.kill()
    process.communicate()


def _survives(start, train, tmp_path, kills, seed):
    options = ['--cfg-options', 'default_hooks.logger.interval=1', 'custom_hooks.4.pause=0.02']
    train(*options, work_dir='whole')
    draw, work = random.Random(seed), tmp_path / 'work'
    for _ in range(kills):
        _kill(start('--resume', *options), draw.uniform(0, 0.4), work)
        # Whatever the moment, there is a complete one to continue from.
        newest = torch.load((work / 'last_checkpoint').read_text(), weights_only=True)
        assert newest['meta']['iter'] % 2 == 0
    train('--resume', *options)
    expected = _losses(tmp_path / 'whole')
    assert len(expected) == 40
    for step, loss in _losses(work).items():
        assert loss == expected[step], step
    received, expected = _weights(work), _weights(tmp_path / 'whole')
    assert all(torch.equal(received[name], expected[name]) for name in expected)
    assert [path.name for path in work.glob('*.pth')] == ['iter_40.pth']
    assert not list(work.glob('.*.part'))


@pytest.mark.training
def test_one_kill(start, train, tmp_path):
    _survives(start, train, tmp_path, 1, 0)


@pytest.mark.long
def test_many_kills(start, train, tmp_path):
    _survives(start, train, tmp_path, KILLS, 1)


def test_one_interruption_says_in_one_line_what_is_kept(start, tmp_path):
    options = ['custom_hooks.4.pause=0.1', 'train_dataloader.num_workers=1']
    process = start('--cfg-options', *options)
    work = tmp_path / 'work'
    while process.poll() is None and not (work / 'last_checkpoint').is_file():
        time.sleep(0.02)
    # As a terminal does, to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = [line for line in said.splitlines() if 'interrupted' in line]
    kept = line.partition('is kept in ')[2].partition(';')[0]
    assert line.startswith('interrupted: iteration ')
    assert torch.load(kept, weights_only=True)['meta']['iter'] > 0
    assert 'Traceback' not in said


def test_errors_of_users_are_one_line(start, tmp_path):
    (tmp_path / 'text.pth').write_text('some text')
    process = start('--resume', tmp_path / 'text.pth')
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert 'Traceback' not in said
    assert said.splitlines()[-1].startswith('error: expected ')
    assert 'text.pth' in said.splitlines()[-1]
