import signal
import sys
import threading
import time

import pytest

from wsss_plugin.engine.ablation import ChildProcesses


def test_exit_status():
    assert ChildProcesses().call([sys.executable, '-c', 'raise SystemExit(3)']) == 3


def test_stop_ends_what_runs(tmp_path):
    children, started, status = ChildProcesses(), tmp_path / 'started', []
    script = f'import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(60)'
    command = [sys.executable, '-c', script]
    thread = threading.Thread(target=lambda: status.append(children.call(command)))
    thread.start()
    while not started.exists():
        assert thread.is_alive()
        time.sleep(0.05)
    children.stop()
    thread.join(30)
    assert status == [-signal.SIGTERM]
    with pytest.raises(RuntimeError, match='were stopped before'):
        children.call(command)
