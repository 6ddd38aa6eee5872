"""A few images that stand for a data set."""

from __future__ import annotations

import numpy as np


def spread_indices(length: int, num: int) -> list[int]:
    """Indices spread evenly over a data set, the first and the last included.

    Args:
        length (int): Number of images.
        num (int): Number of indices at most, at least 1.

    Returns:
        list[int]: The indices in increasing order.

    >>> spread_indices(10, 4)
    [0, 3, 6, 9]
    >>> spread_indices(2, 4)
    [0, 1]
    """
    return np.unique(np.linspace(0, length - 1, min(num, length)).astype(int)).tolist()
