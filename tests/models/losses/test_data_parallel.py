"""The mean of a loss over processes is the loss of one process on all images."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import functools
import sys

import torch
import torch.distributed as dist

from wsss_plugin.models.losses import (
    BalancedCrossEntropyLoss,
    ClassTokenContrastLoss,
    DenseEnergyLoss,
    MultiLabelSoftMarginLoss,
    PatchTokenContrastLoss,
    SemanticConsistencyLoss,
)
from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops import discrepancy, ignored_consistency

consistency = functools.partial(ignored_consistency, confidence=0.5, mean_count=process_mean)
torch.manual_seed(0)
label = torch.randint(0, 4, (4, 6, 6))
label[:2, 1:] = 255
label[label == 3] = 255
tags = torch.tensor([[1.0, 1.0, 1.0], [0, 0, 0], [0, 1, 0], [0, 0, 0]])
maps = [torch.randn(4, 3, 6, 6) for _ in range(2)]
tokens = torch.randn(4, 5, 8), torch.randn(4, 2, 8), torch.rand(4, 5) > 0.5
cases = [
    (BalancedCrossEntropyLoss(), (maps[0], label)),
    (PatchTokenContrastLoss(), (maps[0], label)),
    (SemanticConsistencyLoss(present_only=True), (maps[0], maps[1], tags)),
    (SemanticConsistencyLoss(), maps),
    (DenseEnergyLoss(factor=1.0), (maps[0], maps[1].sigmoid(), label)),
    (ClassTokenContrastLoss(), tokens),
    (MultiLabelSoftMarginLoss(), (maps[0].mean((2, 3)), tags)),
    (discrepancy, maps),
    (consistency, (maps[0], maps[1], label)),
]


def value_and_gradient(loss, inputs):
    first = inputs[0].clone().requires_grad_()
    value = loss(first, *inputs[1:])
    value.backward()
    return value.detach(), first.grad


whole = [value_and_gradient(*case) for case in cases]
rank = int(sys.argv[1])
dist.init_process_group('gloo', init_method=f'file://{sys.argv[2]}', rank=rank, world_size=2)
mine = slice(2 * rank, 2 * rank + 2)
for (loss, inputs), (expected, gradient) in zip(cases, whole):
    value, part = value_and_gradient(loss, [tensor[mine] for tensor in inputs])
    dist.all_reduce(value)
    name = type(loss).__name__
    torch.testing.assert_close(value / 2, expected, msg=lambda text: f'{name}: {text}')
    torch.testing.assert_close(part / 2, gradient[mine], msg=lambda text: f'{name}: {text}')
dist.destroy_process_group()
"""


def test_losses_are_exact(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, '-c', SCRIPT, str(rank), str(tmp_path / 'rendezvous')],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
