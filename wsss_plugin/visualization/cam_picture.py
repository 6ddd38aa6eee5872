"""A CAM to draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class CAMPicture(NamedTuple):
    """A CAM to draw.

    Attributes:
        score: Scores (H, W) in [0, 1].
        label: Class of each score (H, W), as a value of a label map.
    """

    score: np.ndarray
    label: np.ndarray
