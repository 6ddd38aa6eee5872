"""The last line of a terminal, which gives way to the log; silence without one."""

import io
import logging
from types import SimpleNamespace

import pytest

from wsss_plugin.engine.hooks import ProgressBarHook, progress_bar_hook


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def trained(monkeypatch):
    monkeypatch.setattr(progress_bar_hook, '_SECONDS', 0)

    def trained(stream):
        logger = logging.Logger('training')
        logger.addHandler(logging.StreamHandler(stream))
        hub = SimpleNamespace(
            runtime_info={'eta': 61.2},
            log_scalars={'train/loss': SimpleNamespace(current=lambda: 0.5)},
        )
        runner = SimpleNamespace(logger=logger, message_hub=hub, iter=1, max_iters=4)
        hook = ProgressBarHook()
        hook.before_train(runner)
        hook.after_train_iter(runner, 1)
        logger.warning('a line')
        hook.after_train(runner)
        return stream.getvalue()

    return trained


def test_bar_and_log_have_lines_of_their_own(trained):
    bar, line = trained(_Terminal()).removeprefix('\r\033[K').split('\r\033[K')
    assert bar == f'[{"#" * 15}{"." * 15}] 2/4, 0:01:01 left, loss 0.500'
    assert line == 'a line\n'


def test_a_file_gets_no_bar(trained):
    assert trained(io.StringIO()) == 'a line\n'
