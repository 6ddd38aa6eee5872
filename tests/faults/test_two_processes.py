"""An error in one process of two: the last iteration is kept, whichever process it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]

# Batches of two processes interleave the images: the first one has the even places.
_SCRIPT = """
import sys
import toy_training as toy
from mmengine.runner import Runner
from torch import distributed
from wsss_plugin import compat
from wsss_plugin.engine import ProgressKeeper

read = toy.ToyDataset.__getitem__

def read_most(self, index):
    if index == int(sys.argv[2]):
        raise OSError('expected an image')
    return read(self, index)

toy.ToyDataset.__getitem__ = read_most
config = toy.toy_config(sys.argv[1], batch_size=2, launcher='pytorch')
config.default_hooks.checkpoint.interval = 100
compat.init_distributed('pytorch')
runner = Runner.from_cfg(config)
with ProgressKeeper.attached(runner):
    runner.train()
"""


@pytest.mark.parametrize('unreadable', [20, 21], ids=['first', 'second'])
@pytest.mark.long
def test_the_last_iteration_is_kept(tmp_path, unreadable):
    (tmp_path / 'script.py').write_text(_SCRIPT)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    paths = os.pathsep.join([str(ROOT), str(ROOT / 'tests' / 'engine')])
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2']
    command += [
        f'--master_port={port}',
        str(tmp_path / 'script.py'),
        str(tmp_path),
        str(unreadable),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode != 0
    assert 'expected an image' in done.stderr
    saved = torch.load(tmp_path / 'iter_5.pth', weights_only=True)
    assert saved['meta']['iter'] == 5
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_5.pth')
