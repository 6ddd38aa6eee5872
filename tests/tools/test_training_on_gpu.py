"""The whole method from the command line on a GPU."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU'),
]


def _losses(work_dir):
    lines = [
        json.loads(line)
        for path in sorted(work_dir.glob('*/vis_data/scalars.json'))
        for line in path.read_text().splitlines()
    ]
    return {line['step']: line['loss'] for line in lines if 'loss' in line}


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_trains_in_mixed_precision_resumes_and_tests(run, shapes, tmp_path, dtype):
    work_dir = tmp_path / 'work'
    precision = f'optim_wrapper.dtype={dtype}'
    run('train', shapes, precision, 'train_cfg.max_iters=3', flags=['--amp'], work_dir=work_dir)
    flags = ['--amp', '--resume']
    run('train', shapes, precision, 'train_cfg.max_iters=5', flags=flags, work_dir=work_dir)
    losses = _losses(work_dir)
    assert sorted(losses) == [1, 2, 3, 4, 5]
    assert all(math.isfinite(loss) for loss in losses.values())
    out = tmp_path / 'metrics.json'
    checkpoint = work_dir / 'iter_5.pth'
    for flags in (['--cam'], ['--tta', '--crf', '--crf-workers', '1']):
        run('test', shapes, flags=[*flags, '--out', str(out)], checkpoint=checkpoint)
        assert 0 <= json.loads(out.read_text())['mIoU'] <= 100


def test_data_parallel_training(small, shapes, tmp_path):
    """One process with its own GPU is enough for NCCL."""
    options = [*small, 'train_cfg.max_iters=3']
    options += [f'{name}_dataloader.dataset.data_root={shapes}' for name in ('train', 'val')]
    config = 'configs/dual_vit_r18_shapes.py'
    command = ['bash', 'tools/dist_train.sh', config, '1', '--work-dir', str(tmp_path)]
    environment = {**os.environ, 'PYTHON': sys.executable}
    done = subprocess.run(
        [*command, '--cfg-options', *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert sorted(_losses(tmp_path)) == [1, 2, 3]
