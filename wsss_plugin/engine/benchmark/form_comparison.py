"""Two forms of a computation beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from wsss_plugin.engine.benchmark.comparison import Comparison

Forms = tuple[Callable[[], Tensor], Callable[[], Tensor]]


def compare_forms(
    parts: Mapping[str, Forms], repeats: int, tolerance: float
) -> tuple[Comparison, float]:
    """Times two forms of each part in turn, after one call each that is not counted.

    Args:
        parts: By name, the package's form and the plain one.
        repeats: Number of calls that count.
        tolerance: Largest difference of two results.

    Returns:
        Seconds, and the largest difference between the results of two forms.

    Raises:
        RuntimeError: If results differ by more than the tolerance.

    >>> import torch
    >>> forms = {'sum': (lambda: torch.ones(3).sum(), lambda: torch.tensor(3.0))}
    >>> comparison, largest = compare_forms(forms, repeats=2, tolerance=1e-5)
    >>> [row[0] for row in comparison.rows()], largest
    (['sum'], 0.0)
    """
    comparison, differences = Comparison(), [0.0]
    for repeat in range(repeats + 1):
        seconds: tuple[dict[str, float], dict[str, float]] = ({}, {})
        for part, forms in parts.items():
            results = []
            for form, times in zip(forms, seconds, strict=True):
                start = time.perf_counter()
                results.append(form())
                times[part] = time.perf_counter() - start
            differences.append(float((results[0] - results[1]).abs().max()))
        if repeat:
            comparison.add(*seconds)
    # torch's maximum, unlike Python's, is NaN where one value is.
    largest = float(torch.tensor(differences, dtype=torch.float64).max())
    if not largest <= tolerance:
        raise RuntimeError(
            f'expected results that differ by at most {tolerance:g}, received {largest:.2g}; '
            'only forms that agree are worth comparing'
        )
    return comparison, largest
