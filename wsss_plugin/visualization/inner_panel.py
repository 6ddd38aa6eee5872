"""One image beside what the parts of a model see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wsss_plugin.visualization.cam_picture import CAMPicture
from wsss_plugin.visualization.panel import Palette, default_palette, draw_panel, overlay_label


def inner_panel(
    image: np.ndarray,
    features: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    tags: np.ndarray,
    classes: Sequence[str],
    palette: Palette | None = None,
    ground_truth: np.ndarray | None = None,
    threshold: float = 0.5,
    title: str = '',
    show_image: bool = True,
) -> np.ndarray:
    """Draws features and label maps beside an image.

    A feature with a channel for each class is drawn as a CAM is: the tagged classes' maps, each
    between its extremes. Any other one is drawn by the strongest channel of each pixel, in a
    colour of its own, such as the assignment of patches to clusters.

    Args:
        image: RGB image (H, W, 3), uint8.
        features: Maps (C, H, W) by title.
        labels: Label maps (H, W) by title.
        tags: Multi-hot tags (K,).
        classes: Names of the K + 1 classes, background first.
        palette: Colours (K + 1, 3), 0 to 255.
        ground_truth: True label map (H, W).
        threshold: Lines surround the pixels above it.
        title: Text above the image.
        show_image: Whether the image itself is drawn, beside what lies over it.

    Returns:
        RGB picture, uint8.

    Raises:
        ValueError: If sizes differ.
    """
    of_classes = {name: maps for name, maps in features.items() if len(maps) == len(tags)}
    return draw_panel(
        image,
        classes,
        palette,
        ground_truth=ground_truth,
        cams={name: tagged_picture(maps, tags) for name, maps in of_classes.items()},
        predictions=labels,
        cam_threshold=threshold,
        title=title,
        show_image=show_image,
        pictures={
            name: overlay_label(image, maps.argmax(axis=0) + 1, default_palette(len(maps) + 1))
            for name, maps in features.items()
            if name not in of_classes
        },
    )


def tagged_picture(maps: np.ndarray, tags: np.ndarray) -> CAMPicture:
    """The strongest tagged class at each pixel, each map between its extremes.

    Args:
        maps: Maps (K, H, W).
        tags: Multi-hot tags (K,).

    Returns:
        Scores in [0, 1] and classes.

    >>> picture = tagged_picture(np.array([[[1.0, 5.0]], [[2.0, 1.0]]]), np.array([1, 1]))
    >>> picture.score.tolist(), picture.label.tolist()
    ([[1.0, 1.0]], [[2, 1]])
    """
    maps = maps - maps.min(axis=(1, 2), keepdims=True)
    scores = maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)
    scores = scores * (np.asarray(tags) > 0)[:, None, None]
    return CAMPicture(scores.max(axis=0), scores.argmax(axis=0) + 1)
