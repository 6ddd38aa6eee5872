"""One image in a pool of CRF workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple


class CRFJob(NamedTuple):
    """An image that waits for its CRF.

    Attributes:
        future: Gives what was asked for, such as a label map (H, W).
        image_path: The image file.
        consume: Takes it.
    """

    future: Future[Any]
    image_path: str
    consume: Callable[[Any], None]
