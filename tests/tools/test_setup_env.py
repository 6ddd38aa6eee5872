import os
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def _run(*arguments, **environment):
    return subprocess.run(
        ['bash', str(_ROOT / 'tools' / 'setup_env.sh'), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_unknown_toolbox_is_refused():
    done = _run('mmseg')
    assert done.returncode == 1
    assert 'expected openmmlab or onedl, received mmseg' in done.stderr


def test_toolboxes_do_not_share_an_environment(tmp_path):
    (tmp_path / '.wsss_plugin-onedl-abc').touch()
    done = _run('openmmlab', WSSS_VENV=str(tmp_path))
    assert done.returncode == 1
    assert 'set WSSS_VENV to another folder' in done.stderr


def test_without_a_usable_python_the_remedy_is_named(tmp_path):
    """Shims that fail are passed over, as version managers leave them on PATH."""
    for name in ('python3.10', 'python3.11', 'python3.12', 'python3', 'python'):
        shim = tmp_path / name
        shim.write_text('#!/bin/sh\nexit 127\n')
        shim.chmod(0o755)
    script = (_ROOT / 'tools' / 'setup_env.sh').read_text().replace('/usr/bin/python3', 'missing')
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'setup_env.sh').write_text(script)
    os.symlink(_ROOT / 'requirements', tmp_path / 'requirements')
    os.symlink(_ROOT / 'setup.py', tmp_path / 'setup.py')
    done = subprocess.run(
        ['bash', str(tmp_path / 'tools' / 'setup_env.sh')],
        env={'PATH': f'{tmp_path}:/usr/bin:/bin', 'HOME': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    # The names are found in the folder of the shims before any other.
    assert done.returncode == 1
    assert 'expected a working Python 3.10, 3.11 or 3.12' in done.stderr
