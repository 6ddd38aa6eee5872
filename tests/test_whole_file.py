from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading

import pytest

from wsss_plugin import whole_file
from wsss_plugin.whole_file import remove_parts, write_bytes, write_json, write_text


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_bytes_text_and_json(tmp_path):
    write_bytes(tmp_path / 'a' / 'b.bin', b'\x00\xff')
    write_text(tmp_path / 'c.txt', 'Ä\n')
    write_json(tmp_path / 'd.json', {'x': 1})
    assert (tmp_path / 'a' / 'b.bin').read_bytes() == b'\x00\xff'
    assert (tmp_path / 'c.txt').read_bytes() == 'Ä\n'.encode()
    assert (tmp_path / 'd.json').read_text() == '{\n  "x": 1\n}\n'
    assert _names(tmp_path) == ['a', 'c.txt', 'd.json']


def test_a_link_stays_a_link(tmp_path):
    write_text(tmp_path / 'real.txt', 'old')
    (tmp_path / 'link.txt').symlink_to(tmp_path / 'real.txt')
    write_text(tmp_path / 'link.txt', 'new')
    assert (tmp_path / 'link.txt').is_symlink()
    assert (tmp_path / 'real.txt').read_text() == 'new'


def _write(path, then):
    with whole_file.whole_file(path, 'w') as file:
        file.write('new')
        then()


@pytest.mark.parametrize('step', ['write', 'fsync', 'replace'])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, step):
    write_text(tmp_path / 'a.txt', 'old')

    def fail(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        if step == 'fsync':
            patch.setattr(whole_file.os, 'fsync', fail)
        elif step == 'replace':
            patch.setattr(whole_file.Path, 'replace', fail)
        with pytest.raises(OSError, match=r'a\.txt, which failed \(No space left.*room') as caught:
            _write(tmp_path / 'a.txt', fail if step == 'write' else print)
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / 'a.txt').read_text() == 'old'
    assert _names(tmp_path) == ['a.txt']


def test_numbers_that_json_does_not_know_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match='JSON compliant'):
        write_json(tmp_path / 'a.json', {'x': float('nan')})
    assert _names(tmp_path) == []


def test_an_interruption_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file.whole_file(tmp_path / 'a.txt', 'w'):
        raise KeyboardInterrupt
    assert _names(tmp_path) == []


def test_threads_of_a_process_write_one_file_in_turn(tmp_path):
    path = tmp_path / 'same.txt'
    with whole_file.whole_file(path, 'w') as file:
        file.write('first')
        other = threading.Thread(target=write_text, args=(path, 'second'))
        other.start()
        other.join()
        assert path.read_text() == 'second'
    assert path.read_text() == 'first'
    assert _names(tmp_path) == ['same.txt']


def test_parts_of_dead_processes_are_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    for process in (dead.pid, os.getpid()):
        (tmp_path / f'.iter_4.pth.{process}.part').touch()
    (tmp_path / 'kept.part').touch()
    assert remove_parts(tmp_path) == 1
    assert _names(tmp_path) == [f'.iter_4.pth.{os.getpid()}.part', 'kept.part']
    assert remove_parts(tmp_path / 'nowhere') == 0
    (tmp_path / 'start').mkdir()
    (tmp_path / 'start' / f'.start.json.{dead.pid}.part').touch()
    assert remove_parts(tmp_path) == 0
    assert remove_parts(tmp_path, below=True) == 1
    assert not _names(tmp_path / 'start')


@pytest.mark.skipif(sys.platform != 'linux', reason='elsewhere nothing tells of it')
def test_parts_of_a_process_that_nobody_has_waited_for(tmp_path):
    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    (tmp_path / f'.iter_4.pth.{process}.part').touch()
    assert remove_parts(tmp_path) == 1
    assert not _names(tmp_path)
    os.waitpid(process, 0)
