"""Speed, memory and losses of training iterations in several precisions."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch

from wsss_plugin.engine.benchmark import Trainee, Workload, peak_memory
from wsss_plugin.errors import ConfigError

# By name: type of autocast, and whether products of float32 may be rounded to TF32.
DTYPES: dict[str, tuple[torch.dtype | None, bool]] = {
    'float32': (None, False),
    'tf32': (None, True),
    'bfloat16': (torch.bfloat16, False),
    'float16': (torch.float16, False),
}
_WARM_UP = 2
_SMOOTHED = 20

PlainLosses = Callable[..., dict[str, torch.Tensor]]


def measure_training(
    workload: Workload, dtype: str, variant: str, plain_losses: PlainLosses, repeats: int
) -> dict[str, float]:
    """Times training iterations after two that are not counted.

    Args:
        workload: Network and batch.
        dtype: One of ``DTYPES``.
        variant: 'package' or 'plain'.
        plain_losses: The plain formulation.
        repeats: Number of iterations.

    Returns:
        Median ``seconds`` of an iteration, ``images_per_second``, and ``peak_mb``: of the GPU's
        memory, or on a CPU of the process so far.

    Raises:
        ConfigError: If ``dtype`` is unknown.
    """
    device = torch.device(workload.device)
    with _precision(dtype):
        trainee = _trainee(workload, dtype, variant, plain_losses)
        if device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(device)
        seconds = [sum(trainee.iterate()[1].values()) for _ in range(_WARM_UP + repeats)]
    middle = median(seconds[_WARM_UP:])
    return {
        'seconds': middle,
        'images_per_second': workload.batch_size / middle,
        'peak_mb': peak_memory(device),
    }


def compare_steps(
    workload: Workload, plain_losses: PlainLosses, steps: int, dtypes: tuple[str, str]
) -> dict[str, Any]:
    """Trains on one batch in two precisions from the same weights.

    Args:
        workload: Network and batch.
        plain_losses: The plain formulation, which is not run.
        steps: Number of iterations.
        dtypes: Two of ``DTYPES``.

    Returns:
        Total losses by precision, their means over the first and the last 20 steps, and the
        relative difference of the latter.
    """
    curves = {}
    for dtype in dtypes:
        with _precision(dtype):
            trainee = _trainee(workload, dtype, 'package', plain_losses)
            curves[dtype] = [sum(trainee.iterate()[0].values()) for _ in range(steps)]
    first, last = (
        {dtype: _mean(curve[part]) for dtype, curve in curves.items()}
        for part in (slice(_SMOOTHED), slice(-_SMOOTHED, None))
    )
    one, other = (last[dtype] for dtype in dtypes)
    return {
        'losses': curves,
        'first': first,
        'last': last,
        'relative_difference': abs(one - other) / max(abs(one), 1e-12),
    }


def _trainee(workload: Workload, dtype: str, variant: str, plain_losses: PlainLosses) -> Trainee:
    gc.collect()
    segmentor = workload.segmentor()
    batch = workload.batch(segmentor)
    autocast = DTYPES[dtype][0]
    return Trainee(variant, segmentor, *batch, plain_losses, workload.device, autocast)


@contextmanager
def _precision(dtype: str) -> Iterator[None]:
    """Whether float32 may be rounded to TF32, for a while."""
    if dtype not in DTYPES:
        raise ConfigError(f'expected a precision among {tuple(DTYPES)}, received {dtype!r}')
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = DTYPES[dtype][1]
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
