from __future__ import annotations

import sys
import time

import pytest


@pytest.fixture
def module(tool):
    return tool('benchmark_start')


def test_waits_for_the_first_iteration_and_no_longer(module):
    script = (
        'import time; print("loss of nothing"); time.sleep(0.4); '
        'print("Iter(train) [1/9] loss: 1.0"); time.sleep(600)'
    )
    start = time.perf_counter()
    seconds = module.seconds_to_first_iteration([sys.executable, '-c', script])
    assert 0.4 <= seconds <= time.perf_counter() - start < 300


def test_a_training_that_ends_before_is_shown(module):
    script = 'raise OSError("no data")'
    with pytest.raises(RuntimeError, match='no data'):
        module.seconds_to_first_iteration([sys.executable, '-c', script])


def test_the_first_start_stands_beside_the_others(module, monkeypatch, capsys):
    seconds, commands = iter((9.0, 2.0, 4.0, 3.0)), []

    def measured(command):
        commands.append(command)
        return next(seconds)

    monkeypatch.setattr(module, 'seconds_to_first_iteration', measured)
    module.main(['a.py', '--repeats', '3', '--cfg-options', 'x=1'])
    text = capsys.readouterr().out
    assert '| first start | 9.0 |' in text
    assert '| median of 3 more | 3.0 |' in text
    assert commands[0][2] == 'a.py'
    assert commands[0][-2:] == ['--cfg-options', 'x=1']


def test_command_line_errors(module, capsys):
    with pytest.raises(SystemExit):
        module.parse_args(['a.py', '--repeats', '0'])
    assert 'expected --repeats' in capsys.readouterr().err
