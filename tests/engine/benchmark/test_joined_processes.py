from __future__ import annotations

import pytest

from wsss_plugin.engine.benchmark import measure_in_joined_processes

_SCRIPT = """
import sys
import torch
from wsss_plugin.engine.benchmark.joined_processes import average_gradients, join_processes
rank = int(sys.argv[2])
join_processes(rank, 2, sys.argv[3])
weight, still = torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([weight, still], lr=1)
average_gradients(optimizer)
(weight * torch.tensor([1.0, 3.0 + rank])).sum().backward()
optimizer.step()
print(weight.tolist())
"""

_ONE_FAILS = """
import sys, time
if sys.argv[2] == '1':
    raise OSError('no such place')
time.sleep(600)
"""


def test_each_step_takes_the_mean_gradient():
    lines = measure_in_joined_processes(['-c', _SCRIPT], 2)
    assert lines == ['[-1.0, -3.5]'] * 2


def test_a_failure_of_one_stops_all():
    with pytest.raises(RuntimeError, match='no such place'):
        measure_in_joined_processes(['-c', _ONE_FAILS], 2)
