"""Mixed precision and gradient accumulation of the whole method, through the command line."""

from __future__ import annotations

import itertools
import json

import pytest
import torch

pytestmark = pytest.mark.training
STEPS = 4


def train(run, shapes, work_dir, *options, flags=()):
    run('train', shapes, f'train_cfg.max_iters={STEPS}', *options, flags=flags, work_dir=work_dir)
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if 'loss' in line]


def losses(record):
    return {name: value for name, value in record.items() if name.startswith('loss')}


@pytest.fixture(scope='module')
def full_precision():
    """Losses in float32, kept once they are known."""
    return []


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_mixed_precision_follows_float32(run, shapes, tmp_path, full_precision, dtype):
    if not full_precision:
        full_precision.extend(train(run, shapes, tmp_path / 'full'))
    # With a scale of 1024 no gradient of float16 overflows here, so no step is skipped.
    options = [f'optim_wrapper.dtype={dtype}', 'optim_wrapper.loss_scale=1024.0']
    mixed = train(run, shapes, tmp_path / 'mixed', *options, flags=['--amp'])
    assert len(mixed) == len(full_precision) == STEPS
    for record, expected in zip(mixed, full_precision, strict=True):
        assert losses(record) == pytest.approx(losses(expected), rel=0.1, abs=0.01)
    saved = torch.load(tmp_path / 'mixed' / f'iter_{STEPS}.pth', weights_only=True)
    assert ('loss_scaler' in saved['optimizer']) == (dtype == 'float16')
    assert torch.float16 not in {value.dtype for value in saved['state_dict'].values()}


@pytest.mark.parametrize('flags', [(), ('--amp',)])
def test_teacher_moves_with_the_steps_of_the_optimiser(run, shapes, tmp_path, flags):
    options = ['optim_wrapper.accumulative_counts=2', 'default_hooks.checkpoint.interval=1']
    options += ['default_hooks.checkpoint.max_keep_ckpts=-1']
    records = train(run, shapes, tmp_path, *options, flags=flags)
    assert [bool(losses(record)) for record in records] == [True] * STEPS
    weights = [
        torch.load(tmp_path / f'iter_{step}.pth', weights_only=True)['state_dict']
        for step in range(1, STEPS + 1)
    ]
    student = [state['terms.ctc.projection_head.mlp.0.weight'] for state in weights]
    teacher = [state['terms.ctc.teacher.module.mlp.0.weight'] for state in weights]
    stepped = [not torch.equal(*pair) for pair in itertools.pairwise(student)]
    assert stepped == [True, False, True]
    # The contrast begins in the second iteration, with a copy of the student.
    assert torch.equal(teacher[1], student[0])
    torch.testing.assert_close(teacher[2], 0.9 * student[0] + 0.1 * student[1])
    assert torch.equal(teacher[3], teacher[2])
