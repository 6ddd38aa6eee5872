"""Several panels in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def contact_sheet(panels: Sequence[np.ndarray], gap: int = 6) -> np.ndarray:
    """Puts panels below each other on white.

    Args:
        panels: RGB pictures (H_i, W_i, 3), uint8.
        gap: White pixels between two panels.

    Returns:
        RGB picture as wide as the widest panel, uint8.

    Raises:
        ValueError: If there is no panel.

    >>> contact_sheet([np.zeros((4, 5, 3), np.uint8), np.zeros((2, 9, 3), np.uint8)], gap=1).shape
    (7, 9, 3)
    """
    if not panels:
        raise ValueError('expected one panel or more for a contact sheet, received none')
    height = sum(panel.shape[0] for panel in panels) + gap * (len(panels) - 1)
    sheet = np.full((height, max(panel.shape[1] for panel in panels), 3), 255, dtype=np.uint8)
    row = 0
    for panel in panels:
        sheet[row : row + panel.shape[0], : panel.shape[1]] = panel
        row += panel.shape[0] + gap
    return sheet
