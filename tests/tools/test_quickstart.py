"""Which steps tools/quickstart.sh takes, with every program replaced."""

import os
import re
import subprocess
from pathlib import Path

import pytest

_TOOLS = Path(__file__).parents[2] / 'tools'
_PYTHON = """#!/bin/sh
echo "$@" >> calls.txt
case $1 in
-c) echo 3 ${PROCESSES:-1} 4 12345 ;;
tools/test.py) touch work_dirs/dual_vit_r18_shapes/metrics.json.part ;;
esac
"""


@pytest.fixture
def work_dir(tmp_path):
    """A copy of the script whose environment has the program above, and data."""
    (tmp_path / 'tools').mkdir()
    for name in ('quickstart.sh', 'dist_train.sh', 'dist_run.sh'):
        (tmp_path / 'tools' / name).write_text((_TOOLS / name).read_text())
    (tmp_path / 'tools' / 'setup_env.sh').write_text(f'echo {tmp_path}/venv\n')
    (tmp_path / 'venv' / 'bin').mkdir(parents=True)
    (tmp_path / 'venv' / 'bin' / 'python').write_text(_PYTHON)
    (tmp_path / 'venv' / 'bin' / 'python').chmod(0o755)
    (tmp_path / 'data' / 'shapes').mkdir(parents=True)
    folder = tmp_path / 'work_dirs' / 'dual_vit_r18_shapes'
    folder.mkdir(parents=True)
    return folder


def _tools(work_dir, processes=1):
    root = work_dir.parents[1]
    (root / 'calls.txt').unlink(missing_ok=True)
    command = ['bash', str(root / 'tools' / 'quickstart.sh')]
    environment = {**os.environ, 'PROCESSES': str(processes)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    calls = (root / 'calls.txt').read_text()
    return re.findall(r'tools/(\w+\.py) ', calls), calls


_AFTER_TRAINING = ['test.py', 'draw_panels.py']


@pytest.mark.parametrize('last', [None, 'work_dirs/dual_vit_r18_shapes/iter_2.pth'])
def test_a_checkpoint_cut_short_is_trained_again(work_dir, last):
    (work_dir / 'iter_3.pth').touch()
    if last:
        (work_dir / 'last_checkpoint').write_text(last)
    tools, calls = _tools(work_dir)
    assert tools == ['train.py', *_AFTER_TRAINING]
    assert 'torch.distributed.run' not in calls


def test_the_training_s_config_is_not_overwritten(work_dir):
    """The runner of a test writes its own into its work folder."""
    (work_dir / 'iter_3.pth').touch()
    _, calls = _tools(work_dir)
    (test,) = [line for line in calls.splitlines() if line.startswith('tools/test.py')]
    assert '--work-dir work_dirs/dual_vit_r18_shapes/test ' in test


def test_two_processes_share_the_batch(work_dir):
    tools, calls = _tools(work_dir, processes=2)
    assert tools == ['train.py', *_AFTER_TRAINING]
    assert '-m torch.distributed.run' in calls
    assert '--nproc_per_node=2' in calls
    assert '--master_port=12345' in calls
    assert '--cfg-options train_dataloader.batch_size=4' in calls


def test_what_exists_is_reused(work_dir):
    (work_dir / 'iter_3.pth').touch()
    (work_dir / 'last_checkpoint').write_text('work_dirs/dual_vit_r18_shapes/iter_3.pth')
    assert _tools(work_dir)[0] == _AFTER_TRAINING
    os.utime(work_dir / 'iter_3.pth', (0, 0))
    assert _tools(work_dir)[0] == []


def test_a_checkpoint_that_was_tested_is_whole(work_dir):
    (work_dir / 'iter_3.pth').touch()
    os.utime(work_dir / 'iter_3.pth', (0, 0))
    (work_dir / 'metrics.json').touch()
    assert _tools(work_dir)[0] == []
