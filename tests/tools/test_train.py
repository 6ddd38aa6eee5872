import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from wsss_plugin.engine import watching
from wsss_plugin.errors import ConfigError

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


def test_the_start_is_quiet_and_the_file_has_all(tool, toy_config_file, tmp_path, capsys):
    options = ['--cfg-options', 'train_cfg.max_iters=14', 'default_hooks.logger.first=2']
    work_dir = tmp_path / 'work'
    tool('train').main([str(toy_config_file), '--work-dir', str(work_dir), *options])
    shown = capsys.readouterr().out.splitlines()
    (log,) = work_dir.glob('*/*.log')
    file = log.read_text()
    iterations = [
        number for line in shown for number in re.findall(r'Iter\(train\) \[ *(\d+)/', line)
    ]
    # The first two, then after 20 seconds or at the end.
    assert iterations == ['1', '2', '14']
    assert len([line for line in shown if 'INFO' in line]) <= 15
    begins = next(place for place, line in enumerate(shown) if 'Iter(train)' in line)
    assert begins <= 10
    said = '\n'.join(shown[:begins])
    assert 'on ToyDataset: 32 images, 4 at a time, iterations 0 to 14' in said
    assert 'no validation' in said
    assert 'System environment' not in said
    assert all(text in file for text in ('System environment', 'Config:', 'Iter(train) [12/14]'))
    assert re.search(r's per iteration from 0 on: about 0:00:0\d for the 4 that are left', file)
    (start,) = work_dir.glob('*/vis_data/start.json')
    noted = json.loads(start.read_text())
    run = json.loads((work_dir / 'run.json').read_text())['run']
    assert (noted['run'], noted['iteration']) == (run, 0)
    assert 'mmengine' in noted['versions']


def test_how_a_training_is_watched(tool):
    train = tool('train')
    config = Config({'custom_hooks': [], 'visualizer': {'vis_backends': []}, 'val_cfg': {}})
    train.draw_panels(config, 3)
    train.draw_panels(config, 5)
    assert config.custom_hooks == [{'type': 'PanelHook', 'num': 3}]
    train.switch_validation_off(config)
    assert config.val_cfg is config.val_dataloader is config.val_evaluator is None


@pytest.mark.parametrize('installed', [True, False])
def test_tensorboard(monkeypatch, installed):
    monkeypatch.setattr(watching, 'find_spec', lambda _: installed or None)
    config = Config({'visualizer': {'vis_backends': [{'type': 'LocalVisBackend'}]}})
    if not installed:
        with pytest.raises(ConfigError, match=r'wsss_plugin\[tensorboard\]'):
            watching.log_to_tensorboard(config)
        return
    watching.log_to_tensorboard(config)
    watching.log_to_tensorboard(config)
    names = [backend['type'] for backend in config.visualizer.vis_backends]
    assert names == ['LocalVisBackend', 'TensorboardVisBackend']
    with pytest.raises(ConfigError, match='visualizer: expected one'):
        watching.log_to_tensorboard(Config({}))


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
