"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def describe_machine(threads: int) -> str:
    """The processor with its cores, the GPU, threads, and the versions of Python and torch.

    Args:
        threads: Threads that the measured process used.

    Returns:
        A line of text.
    """
    info = Path('/proc/cpuinfo')
    lines = info.read_text(encoding='utf-8').splitlines() if info.is_file() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    name = (names or [platform.processor() or platform.machine()])[0]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'
    return (
        f'{name}, {os.cpu_count()} cores, {gpu}, {threads} thread{"s" if threads > 1 else ""}; '
        f'Python {platform.python_version()}, torch {torch.__version__}'
    )
