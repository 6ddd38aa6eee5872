"""One image, the affinities of one of its pixels, and CAMs that walk along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wsss_plugin.visualization.cam_picture import CAMPicture
from wsss_plugin.visualization.panel import Palette, draw_panel

_MARK = 2  # pixels from the middle of the mark to its edge


def walk_panel(
    image: np.ndarray,
    classes: Sequence[str],
    pixel: tuple[int, int],
    reach: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
    palette: Palette | None = None,
    ground_truth: np.ndarray | None = None,
) -> np.ndarray:
    """Draws what a pixel is connected with, and scores before and after steps of a walk.

    Args:
        image: RGB image (H, W, 3), uint8.
        classes: Names of the classes, background first.
        pixel: Row and column of the pixel, which is marked white.
        reach: Shares (H, W) of the pixel's score by title, 0 or more; drawn relative to the
            largest.
        scores: Scores (C, H, W) of background and classes by title; the label of the last is drawn
            as well.
        palette: Colours (C, 3), 0 to 255.
        ground_truth: True label map (H, W).

    Returns:
        RGB picture, uint8.

    Raises:
        ValueError: If there are no scores or sizes differ.
    """
    if not scores:
        raise ValueError('expected scores of one number of steps or more, received none')
    row, column = pixel
    marked = image.copy()
    marked[max(row - _MARK, 0) : row + _MARK + 1, max(column - _MARK, 0) : column + _MARK + 1] = 255
    nothing = np.zeros(image.shape[:2], dtype=np.int64)
    cams = {
        title: CAMPicture(share / (share.max() or 1), nothing) for title, share in reach.items()
    }
    for title, score in scores.items():
        best = score[1:].max(axis=0)
        label = np.where(best > score[0], score[1:].argmax(axis=0) + 1, 0)
        cams[title] = CAMPicture(np.clip(best, 0, 1), label)
    return draw_panel(
        marked,
        classes,
        palette,
        ground_truth=ground_truth,
        cams=cams,
        predictions={'label': label},
        cam_threshold=0,
    )
