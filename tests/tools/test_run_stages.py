"""tools/run_stages.py on the real chain of the shapes, killed after every few files and resumed."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import struct
import sys
import traceback
from pathlib import Path

import pytest
import torch

from wsss_plugin.engine.stages import stage_runner
from wsss_plugin.errors import ConfigError

pytestmark = pytest.mark.training
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'stages' / 'shapes.py'
KILLED = -signal.SIGKILL


def _forked(action):
    """Runs something in a copy of this process, which imports nothing again; its exit code."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            code = action() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


class _Deadly:
    """Kills the whole group of processes at the n-th time that something is flushed to the disk."""

    def __init__(self, number):
        self._left = mmap.mmap(-1, 8)
        self._left[:] = struct.pack('q', number)
        self._flush = os.fsync

    def __call__(self, descriptor):
        self._flush(descriptor)
        left = struct.unpack('q', self._left[:])[0] - 1
        self._left[:] = struct.pack('q', left)
        if left == 0:
            os.killpg(os.getpgrp(), signal.SIGKILL)


@pytest.fixture(scope='module')
def options(small, shapes):
    """Shrinks the chain to two iterations of each training on images of 48 pixels."""
    texts = [f'dual.{text}' for text in small]
    for name in ('dual', 'segmentor'):
        texts += [
            f'{name}.{split}_dataloader.dataset.data_root={shapes}'
            for split in ('train', 'val', 'test')
        ]
        texts += [f'{name}.train_cfg.max_iters=2', f'{name}.train_dataloader.batch_size=2']
        texts += [f'{name}.train_cfg.val_interval=9', f'{name}.visualizer.name={name}']
        texts += [f'{name}.default_hooks.checkpoint.interval=1']
    return [
        *texts,
        'labels.model.thresholds.high=0.4',
        'segmentor.model.data_preprocessor.size=48,48',
    ]


@pytest.fixture(scope='module')
def run(tool, options):
    """Runs the stages in another process; ends at the n-th flush, if one is given."""
    tools = {
        f'{name}.py': tool(name)
        for name in ('train', 'export_labels', 'test', 'score_labels', 'run_stages')
    }

    def tied(command, environment, lock):
        del environment, lock
        return _forked(lambda: tools[Path(command[1]).name].main(command[2:]))

    def run(work_dir, *flags, at=None):
        def action():
            os.setsid()
            stage_runner.run_tied = tied
            if at is not None:
                os.fsync = _Deadly(at)
            arguments = [str(CONFIG), '--work-dir', str(work_dir), *flags]
            tools['run_stages.py'].main([*arguments, '--cfg-options', *options])

        return _forked(action)

    return run


def _labels(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob('labels/*.png'))}


def _weights(folder, stage):
    return torch.load(folder / stage / 'iter_2.pth', weights_only=True)['state_dict']


def _require_equal(received, expected):
    assert _labels(received) == _labels(expected)
    assert len(_labels(expected)) == 8
    for stage in ('dual', 'segmentor'):
        ours, theirs = _weights(received, stage), _weights(expected, stage)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs), stage
    for name in ('labels/manifest.json', 'test/scores.json'):
        assert (received / name).read_bytes() == (expected / name).read_bytes(), name


def test_killed_anywhere_it_ends_with_the_same_files(run, tmp_path, capfd):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    assert run(whole) == 0
    codes = []
    for at in itertools.count(5, 8):
        codes.append(run(killed, at=at))
        if codes[-1] != KILLED:
            break
    assert codes[-1] == 0
    assert len(codes) > 3
    _require_equal(killed, whole)
    assert not list(killed.rglob('*.part'))
    assert not list(killed.glob('*.old-*'))
    capfd.readouterr()
    assert run(killed) == 0
    assert capfd.readouterr().out.count('is done\n') == 4


def test_the_status_runs_nothing(tool, tmp_path, capsys):
    work_dir = tmp_path / 'work'
    tool('run_stages').main([str(CONFIG), '--work-dir', str(work_dir), '--status'])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ['dual', 'train', 'new'],
        ['labels', 'export', 'waiting:'],
        ['segmentor', 'train', 'waiting:'],
        ['test', 'test', 'waiting:'],
    ]
    assert not work_dir.exists()


@pytest.mark.parametrize(
    ('flags', 'expected'),
    [
        ([], 'abcd'),
        (['--from', 'b'], 'bcd'),
        (['--until', 'b'], 'ab'),
        (['--from', 'b', '--until', 'c', '--redo', 'c'], 'bc'),
        (['--from', 'c', '--until', 'b'], ''),
    ],
)
def test_stages_that_are_chosen(tool, flags, expected):
    run_stages = tool('run_stages')
    chosen = run_stages.chosen_stages(list('abcd'), run_stages.parse_args(['a.py', *flags]))
    assert ''.join(chosen) == expected


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--from', 'x'], "expected one of the stages a, b, c, d, received 'x'"),
        (['--redo', 'x'], "expected one of the stages a, b, c, d, received 'x'"),
        (['--from', 'c', '--redo', 'b'], r"from --from to --until \(c, d\), received 'b'"),
    ],
)
def test_stages_that_are_not_there(tool, flags, message):
    run_stages = tool('run_stages')
    with pytest.raises(ConfigError, match=message):
        run_stages.chosen_stages(list('abcd'), run_stages.parse_args(['a.py', *flags]))


def test_numbers_of_processes(tool, capsys):
    run_stages = tool('run_stages')
    assert run_stages.parse_args(['a.py']).processes == 1
    with pytest.raises(SystemExit):
        run_stages.parse_args(['a.py', '--processes', '0'])
    assert 'expected --processes of at least 1' in capsys.readouterr().err
