"""Peak memory of a computation."""

from __future__ import annotations

import resource

import torch


def peak_memory(device: torch.device | str = 'cpu') -> float:
    """Peak memory so far in MB (2**20 bytes).

    Args:
        device: A GPU for what PyTorch has allocated on it since its peak was reset; otherwise the
            peak of this process is given, libraries included, which begins with that of the parent.

    >>> before = peak_memory()
    >>> block = torch.ones(2**23)
    >>> peak_memory() >= before > 10
    True
    """
    if torch.device(device).type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
