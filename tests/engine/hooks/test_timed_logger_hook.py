"""Which iterations reach the terminal; a whole training is in tests/tools/test_train.py."""

from types import SimpleNamespace

import pytest

from wsss_plugin.engine.hooks import TimedLoggerHook, timed_logger_hook
from wsss_plugin.errors import ConfigError


def test_the_first_then_after_some_seconds_then_the_last(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(timed_logger_hook.time, 'monotonic', lambda: clock[0])
    hook = TimedLoggerHook(first=2, seconds=10)
    runner = SimpleNamespace(iter=0, max_iters=12)
    hook.before_train(runner)
    shown = []
    for runner.iter in range(12):
        clock[0] += 4
        if hook._is_due(runner):
            shown.append(runner.iter + 1)
    assert shown == [1, 2, 5, 8, 11, 12]


@pytest.mark.parametrize('wrong', [{'first': -1}, {'seconds': -0.5}])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(ConfigError, match=rf'logger\.{next(iter(wrong))}'):
        TimedLoggerHook(**wrong)
