"""What a source distribution needs to be built from."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools

_ROOT = Path(__file__).parents[1]


@pytest.fixture
def read_by_setup(monkeypatch):
    """The files that setup.py reads, relative to the root."""
    read, read_text = [], Path.read_text

    def note(path, *arguments, **kwargs):
        read.append(path.relative_to(_ROOT).as_posix())
        return read_text(path, *arguments, **kwargs)

    monkeypatch.setattr(Path, 'read_text', note)
    monkeypatch.setattr(setuptools, 'setup', lambda **_: None)
    runpy.run_path(str(_ROOT / 'setup.py'))
    monkeypatch.undo()
    return read


def test_the_source_distribution_has_what_setup_reads(read_by_setup, tmp_path):
    command = [sys.executable, 'setup.py', '-q', 'egg_info', '--egg-base', str(tmp_path)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (sources,) = tmp_path.glob('*.egg-info/SOURCES.txt')
    declared = sources.read_text().splitlines()
    assert 'requirements/common.txt' in read_by_setup
    assert set(read_by_setup) <= set(declared)
    assert 'LICENSE' in declared
