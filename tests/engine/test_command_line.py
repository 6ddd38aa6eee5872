from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings

import pytest
import torch

from wsss_plugin.engine import command_line
from wsss_plugin.engine.command_line import run_tool


class _Ended(BaseException):
    """In place of the end of this process."""


@pytest.fixture
def ends(monkeypatch, capfd):
    """Runs a tool; returns its exit code and what it said."""

    def end(code):
        raise _Ended(code)

    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(command_line.os, '_exit', end)
    monkeypatch.setattr(command_line.logging, 'shutdown', lambda: None)
    monkeypatch.setattr(command_line.multiprocessing.util, '_run_finalizers', lambda _: None)
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)

    def run(main, *kept):
        with pytest.raises((_Ended, SystemExit)) as caught:
            run_tool(main, *kept)
        return caught.value.args[0], capfd.readouterr().err

    yield run
    signal.signal(signal.SIGINT, handler)


def _raises(error):
    def main():
        raise error

    return main


def test_success(ends):
    assert ends(lambda: None) == (0, '')


@pytest.mark.parametrize(
    ('error', 'said'),
    [
        (KeyboardInterrupt(), 'interrupted: no metrics were written\n'),
        (KeyboardInterrupt('iteration 3 is kept'), 'interrupted: iteration 3 is kept\n'),
    ],
)
def test_interruption(ends, error, said):
    assert ends(_raises(error), 'no metrics were written') == (130, said)


@pytest.mark.parametrize(
    ('error', 'said'),
    [
        (ValueError('expected a, received b'), 'expected a, received b'),
        (KeyError('expected c'), 'expected c'),
        (OSError('a.csv: expected d'), 'a.csv: expected d'),
        (
            RuntimeError(
                'Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most '
                'recent call last):\n  File "x"\nRuntimeError: a.jpg: expected an image\n'
            ),
            'a.jpg: expected an image',
        ),
    ],
)
def test_errors_of_users_are_said_in_a_line(ends, error, said):
    assert ends(_raises(error)) == (1, f'error: {said}\n')


@pytest.mark.parametrize(
    'error', [ValueError('too many values'), RuntimeError('CUDA error'), KeyError(3)]
)
def test_defects_keep_their_traceback(monkeypatch, error):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)
    with pytest.raises(type(error)):
        run_tool(_raises(error))


def test_bad_arguments_keep_their_code(ends):
    assert ends(_raises(SystemExit(2)))[0] == 2


class _Code:
    def __reduce__(self):
        return os.getcwd, ()


def test_whatever_a_tool_loads_is_data_only(ends, tmp_path):
    torch.save(_Code(), tmp_path / 'a.pth')
    seen = []

    def main():
        with pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / 'a.pth', weights_only=False)
        seen.append(1)

    assert ends(main) == (0, '')
    assert seen


def test_warnings_about_the_toolbox_s_own_code_are_not_for_users(ends):
    def main():
        warnings.warn('``build_loss`` would be deprecated soon, please use ...', stacklevel=1)
        with pytest.warns(UserWarning, match='look at it'):
            warnings.warn('look at it', stacklevel=1)

    assert ends(main) == (0, '')
