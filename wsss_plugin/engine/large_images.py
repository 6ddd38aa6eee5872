"""Large images, which are seen better in windows."""

from __future__ import annotations

_LARGE = 4_000_000  # pixels


def window_hint(name: str, height: int, width: int) -> str | None:
    """Says that there are windows, where an image is large.

    Args:
        name: Name of the image.
        height: In pixels.
        width: In pixels.

    Returns:
        A line of text; None for an image of up to four million pixels.

    >>> window_hint('a.jpg', 1000, 4000) is None
    True
    """
    if height * width <= _LARGE:
        return None
    return (
        f'{name} has {width} x {height} pixels: --window SIDE, such as the size of the training '
        'images, sees large images at their full size and in bounded memory'
    )
