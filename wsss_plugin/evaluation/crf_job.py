"""One image in a pool of CRF workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np


class CRFJob(NamedTuple):
    """An image that waits for its CRF.

    Attributes:
        future: Gives the label map (H, W), uint8.
        image_path: The image file.
        consume: Takes the label map.
    """

    future: Future[np.ndarray]
    image_path: str
    consume: Callable[[np.ndarray], None]
