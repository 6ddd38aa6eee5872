"""What can be imported where parts of the toolbox are missing, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HIDE = """
import importlib.machinery, importlib.util, sys
hidden = {hidden!r}
find = importlib.machinery.PathFinder.find_spec
def find_others(name, path=None, target=None):
    return None if name.partition('.')[0] in hidden else find(name, path, target)
importlib.machinery.PathFinder.find_spec = staticmethod(find_others)
"""
TOOLBOX = ('mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'timm')


def run(hidden: tuple[str, ...], code: str) -> subprocess.CompletedProcess:
    """Runs code in a process where packages cannot be found."""
    return subprocess.run(
        [sys.executable, '-c', HIDE.format(hidden=hidden) + code],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )


def test_operators_need_torch_alone():
    code = """
import wsss_plugin.ops, torch
print(float(wsss_plugin.ops.normalize_cam(torch.tensor([[[[0.0, 1.0]]]])).max() > 0.9))
print([name for name in sys.modules if name.split('.')[0] in hidden])
"""
    done = run(TOOLBOX, code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ['1.0', '[]']


def test_models_without_toolbox_name_the_remedy():
    done = run(TOOLBOX, 'import wsss_plugin; import wsss_plugin.models')
    assert done.returncode == 1
    assert 'expected the packages mmengine, mmcv, mmseg, mmpretrain' in done.stderr
    assert "pip install 'wsss_plugin[openmmlab]'" in done.stderr


@pytest.mark.parametrize('missing', ['mmcv', 'mmpretrain'])
def test_a_partial_toolbox_is_refused(missing):
    done = run((missing,), 'import wsss_plugin')
    assert done.returncode == 1
    assert f'of which {missing} cannot be found' in done.stderr


def test_a_broken_toolbox_raises_its_own_error():
    code = """
import types
sys.modules['mmseg'] = None
import wsss_plugin
"""
    done = run((), code)
    assert done.returncode == 1
    assert 'mmseg' in done.stderr.splitlines()[-1]
