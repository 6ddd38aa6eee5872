from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from wsss_plugin.engine.stages.tied_process import run_tied
from wsss_plugin.engine.stages.work_lock import work_lock
from wsss_plugin.errors import ExistingFileError

_NOTE = 'import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch()\n'
_TEMPORARY = """
try:
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(7)
"""


def _started(folder, note, text):
    """Forks a process that runs a command with the lock of a folder; waits for the command."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            with work_lock(folder) as lock:
                command = [sys.executable, '-c', _NOTE + text, str(note)]
                code = run_tied(command, os.environ, lock)
        except KeyboardInterrupt:
            code = 8
        finally:
            os._exit(code)
    end = time.monotonic() + 60
    while not note.is_file():
        assert time.monotonic() < end
        time.sleep(0.01)
    return process


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere the command goes on')
def test_what_a_killed_process_has_started_ends_and_gives_the_folder_back(tmp_path):
    folder = tmp_path / 'work'
    process = _started(folder, tmp_path / 'note', 'time.sleep(60)')
    refused = pytest.raises(ExistingFileError, match=f'received one that process {process} began')
    with refused, work_lock(folder, patience=0):
        pass
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    # It has the lock too, and would sleep for a minute.
    with work_lock(folder, patience=30):
        pass


def test_an_interruption_reaches_the_command_once_and_waits_for_it(tmp_path):
    process = _started(tmp_path / 'work', tmp_path / 'note', _TEMPORARY)
    time.sleep(0.2)
    os.kill(process, signal.SIGINT)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 8


def test_the_exit_code_is_that_of_the_command(tmp_path):
    with work_lock(tmp_path) as lock:
        assert run_tied([sys.executable, '-c', 'raise SystemExit(5)'], os.environ, lock) == 5
