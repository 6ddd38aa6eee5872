import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

_ROOT = Path(__file__).parents[2]


def _weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_trains_resumes_and_takes_options(tool, toy_config_file, tmp_path):
    train = tool('train').main
    options = ['--work-dir', str(tmp_path / 'a'), '--cfg-options']
    train([str(toy_config_file), *options, 'train_cfg.max_iters=4', 'experiment_name=a'])
    assert (tmp_path / 'a' / 'iter_4.pth').is_file()
    train([str(toy_config_file), '--resume', *options, 'experiment_name=b'])
    train([str(toy_config_file), '--work-dir', str(tmp_path / 'whole')])
    whole = _weights(tmp_path / 'whole' / 'iter_8.pth')
    for name, weight in _weights(tmp_path / 'a' / 'iter_8.pth').items():
        torch.testing.assert_close(weight, whole[name])


def test_amp_trains(tool, toy_config_file, tmp_path):
    work_dir = tmp_path / 'amp'
    tool('train').main([str(toy_config_file), '--amp', '--work-dir', str(work_dir)])
    assert 'AmpOptimWrapper' in (work_dir / 'toy.py').read_text()
    tool('train').main([str(toy_config_file), '--work-dir', str(tmp_path / 'full')])
    full = _weights(tmp_path / 'full' / 'iter_8.pth')
    for name, weight in _weights(work_dir / 'iter_8.pth').items():
        assert 0 < (weight - full[name]).abs().max() < 0.02, name


def test_resume_argument_forms(tool):
    parse = tool('train').parse_args
    assert parse(['c.py']).resume is None
    assert parse(['c.py', '--resume']).resume == 'auto'
    assert parse(['c.py', '--resume', 'x.pth']).resume == 'x.pth'
    assert parse(['c.py', '--local-rank', '0']).local_rank == 0


def test_dist_train_on_two_cpu_processes_equals_one_process(tool, toy_config_file, tmp_path):
    tool('train').main([str(toy_config_file), '--work-dir', str(tmp_path / 'one')])
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, 'PORT': str(port), 'PYTHON': sys.executable}
    environment['PYTHONPATH'] = str(_ROOT / 'tests' / 'engine')
    command = ['bash', 'tools/dist_train.sh', str(toy_config_file), '2']
    command += [
        '--work-dir',
        str(tmp_path / 'two'),
        '--cfg-options',
        'train_dataloader.batch_size=2',
    ]
    done = subprocess.run(
        command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    expected = _weights(tmp_path / 'one' / 'iter_8.pth')
    for name, weight in _weights(tmp_path / 'two' / 'iter_8.pth').items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ('script', 'arguments'),
    [
        ('dist_train.sh', []),
        ('dist_train.sh', ['config.py']),
        ('dist_train.sh', ['config.py', 'two']),
        ('dist_test.sh', ['config.py', '2']),
    ],
)
def test_scripts_say_what_they_expect(script, arguments):
    done = subprocess.run(
        ['bash', str(_ROOT / 'tools' / script), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'then the number of GPUs' in done.stderr


@pytest.mark.parametrize(
    ('environment', 'expected'),
    [
        # A free one, since two jobs of one machine on the same port may join.
        ({}, ['1', '0', '127.0.0.1', 'free']),
        ({'NNODES': '2'}, ['2', '0', '127.0.0.1', '29500']),
        ({'MASTER_PORT': '29501'}, ['1', '0', '127.0.0.1', '29501']),
        ({'PORT': '29502', 'MASTER_PORT': '29501'}, ['1', '0', '127.0.0.1', '29502']),
        (
            {'NNODES': '3', 'NODE_RANK': '2', 'MASTER_ADDR': 'first', 'MASTER_PORT': '1234'},
            ['3', '2', 'first', '1234'],
        ),
    ],
)
def test_torchrun_s_environment_is_passed_on(tmp_path, environment, expected):
    (tmp_path / 'python').write_text('#!/bin/sh\n[ "$1" = -c ] && set -- free\necho "$@"\n')
    (tmp_path / 'python').chmod(0o755)
    done = subprocess.run(
        ['bash', str(_ROOT / 'tools' / 'dist_train.sh'), 'config.py', '2'],
        env={'PATH': os.environ['PATH'], 'PYTHON': str(tmp_path / 'python'), **environment},
        capture_output=True,
        text=True,
    )
    names = ('nnodes', 'node_rank', 'master_addr', 'master_port')
    received = done.stdout.split()
    assert [f'--{name}={value}' for name, value in zip(names, expected, strict=True)] == [
        word for word in received if word.startswith(tuple(f'--{name}=' for name in names))
    ]
