"""Measurements of several processes that train together."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import torch
import torch.distributed as dist


def measure_in_joined_processes(arguments: Sequence[str], number: int) -> list[str]:
    """Runs a Python script in processes that meet, each with its rank and the place to meet.

    Args:
        arguments: The script and its arguments; ``--joined RANK FILE`` is added to each.
        number: How many processes.

    Returns:
        The last line that each of them printed, by rank.

    Raises:
        RuntimeError: If a process fails; the others are stopped.
    """
    with TemporaryDirectory() as folder:
        meeting = str(Path(folder) / 'meeting')
        commands = [
            [sys.executable, *arguments, '--joined', str(rank), meeting] for rank in range(number)
        ]
        with ExitStack() as stack:
            running = [stack.enter_context(_Running(command)) for command in commands]
            while [one for one in running if not one.done()]:
                time.sleep(0.05)
            return [one.last_line() for one in running]


class _Running:
    """A process whose output is kept; it does not outlive the context."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._given, self._errors = TemporaryFile('w+'), TemporaryFile('w+')  # noqa: SIM115
        self._process = subprocess.Popen(command, stdout=self._given, stderr=self._errors)

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._given.close()
        self._errors.close()

    def done(self) -> bool:
        """Whether it has ended, and well; the others of a failed one would wait for it."""
        code = self._process.poll()
        if code:
            self._errors.seek(0)
            raise RuntimeError(
                f'expected a measurement from {shlex.join(self._command)}, received '
                f'{self._errors.read()}'
            )
        return code is not None

    def last_line(self) -> str:
        """What it printed last."""
        self._given.seek(0)
        return self._given.read().splitlines()[-1]


def join_processes(rank: int, number: int, meeting: str) -> None:
    """Makes this process one of several that train together.

    Args:
        rank: Its number, from 0.
        number: How many there are.
        meeting: A file that all of them can reach.
    """
    dist.init_process_group('gloo', init_method=f'file://{meeting}', rank=rank, world_size=number)


def average_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Lets each step of an optimiser use the mean gradient of all processes.

    Args:
        optimizer: The optimiser.
    """
    optimizer.register_step_pre_hook(lambda *_: _average(optimizer))


def _average(optimizer: torch.optim.Optimizer) -> None:
    weights = [weight for group in optimizer.param_groups for weight in group['params']]
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(joined)
    joined /= dist.get_world_size()
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, mean in zip(gradients, joined.split(sizes), strict=True):
        gradient.copy_(mean.view_as(gradient))
