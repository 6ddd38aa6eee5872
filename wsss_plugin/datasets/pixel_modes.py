"""Which of Pillow's modes fit into 8 bits."""

from __future__ import annotations


def is_deep(mode: str) -> bool:
    """Whether pixels of a mode have more than 8 bits.

    Args:
        mode (str): Mode of a Pillow image.

    Returns:
        bool: True for integers of 16 or 32 bits and for floats.

    Example:
        >>> [is_deep(mode) for mode in ('L', 'P', 'RGB', 'I;16B', 'F')]
        [False, False, False, True, True]
    """
    return mode.startswith(('I', 'F'))
