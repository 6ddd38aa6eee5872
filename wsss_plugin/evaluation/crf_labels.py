"""What a dense CRF makes of an image file and of scores, as functions that a process can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.label_crf import irn_label
from wsss_plugin.ops.confident_labels import confident_label


def label_of_scores(
    image_path: str,
    scores: np.ndarray,
    values: np.ndarray,
    settings: Mapping[str, Any],
    keep: bool = False,
) -> np.ndarray:
    """The class of the highest score after :func:`dense_crf`.

    Args:
        image_path: The image file.
        scores: Scores (N, H, W) in [0, 1] at the size of the image; float16 is enough.
        values: Value of each channel in a label map, (N,).
        settings: Settings of the CRF.
        keep: Whether the scores decide where the CRF leaves the first channel alone.

    Returns:
        Label map (H, W) of the type of ``values``.
    """
    if len(values) == 1:
        return np.full(scores.shape[1:], values[0], dtype=values.dtype)
    best = dense_crf(read_rgb(image_path), scores, **settings).argmax(axis=0)
    return values[best if best.any() or not keep else scores.argmax(axis=0)]


def label_of_cams(
    image_path: str,
    cams: np.ndarray,
    values: np.ndarray,
    low: float,
    high: float,
    ignore_index: int,
    settings: Mapping[str, Any],
) -> np.ndarray:
    """The label by two constant backgrounds, each refined, of :func:`irn_label`.

    Args:
        image_path: The image file.
        cams: Normalised CAMs of the present classes, (N, H, W) in [0, 1].
        values: Value of each of them in a label map, (N,).
        low: Background score under which little is background.
        high: Background score under which much is background.
        ignore_index: Value of pixels without label.
        settings: Settings of the CRF.

    Returns:
        Label map (H, W), uint8.
    """
    numbers = np.zeros(256, dtype=np.uint8)
    numbers[1 : 1 + len(values)] = values
    numbers[255] = ignore_index
    label = irn_label(read_rgb(image_path), cams.astype(np.float32), high, low, 255, **settings)
    return numbers[label]


def scores_of_alphas(
    image_path: str, cams: np.ndarray, alphas: Sequence[float], settings: Mapping[str, Any]
) -> np.ndarray:
    """Scores of background and classes for several alphas, each after :func:`dense_crf`.

    The background's score is ``(1 - max_k M_k)^alpha``; the scores are given to the CRF as they
    are, not normalised (AffinityNet, Section 3.2 and its code).

    Args:
        image_path: The image file.
        cams: Normalised CAMs of the present classes, (N, H, W) in [0, 1].
        alphas: The powers.
        settings: Settings of the CRF.

    Returns:
        Probabilities (A, N + 1, H, W), float32, channel 0 the background.
    """
    cams = cams.astype(np.float32)
    if not len(cams):
        return np.ones((len(alphas), 1, *cams.shape[1:]), np.float32)
    image, nothing = read_rgb(image_path), 1 - cams.max(axis=0, keepdims=True)
    scores = [np.concatenate((np.clip(nothing, 0, 1) ** alpha, cams)) for alpha in alphas]
    return np.stack([dense_crf(image, one, **settings) for one in scores])


def label_of_alphas(
    image_path: str,
    cams: np.ndarray,
    values: np.ndarray,
    alphas: Sequence[float],
    ignore_index: int,
    settings: Mapping[str, Any],
) -> np.ndarray:
    """The label by two powers of the background's score, each after the dense CRF.

    What is a class with both is that class, what is background with both is background
    (:func:`wsss_plugin.ops.confident_label`).

    Args:
        image_path: The image file.
        cams: Normalised CAMs of the present classes, (N, H, W) in [0, 1].
        values: Value of each of them in a label map, (N,).
        alphas: Low and high power.
        ignore_index: Value of pixels without label.
        settings: Settings of the CRF.

    Returns:
        Label map (H, W), uint8.
    """
    by_low, by_high = torch.from_numpy(scores_of_alphas(image_path, cams, alphas, settings))
    local = confident_label(by_low[None], by_high[None], ignore_index=-1)[0].numpy()
    return np.concatenate(([0], values, [ignore_index])).astype(np.uint8)[local]


def read_rgb(image_path: str) -> np.ndarray:
    """Reads an image as it is shown.

    Args:
        image_path: The file.

    Returns:
        RGB image (H, W, 3), uint8.
    """
    import mmcv

    # Pillow, because OpenCV fills the missing part of a truncated file and goes on.
    return mmcv.imread(image_path, channel_order='rgb', backend='pillow')
