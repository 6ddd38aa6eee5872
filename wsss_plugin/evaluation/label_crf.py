"""Dense CRF on labels, and IRN's labels by two backgrounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wsss_plugin.evaluation.dense_crf import dense_crf


def label_crf(
    image: np.ndarray,
    label: np.ndarray,
    num_labels: int,
    num_iter: int = 10,
    certainty: float = 0.7,
    gaussian: Sequence[float] = (3, 3),
    bilateral: Sequence[float] = (50, 5, 10),
) -> np.ndarray:
    """Refines a label map so that similar and near pixels agree.

    A mean field as of :func:`wsss_plugin.evaluation.dense_crf.dense_crf`, where the label of a
    pixel has the probability ``certainty`` and the others share the rest. The defaults are those of
    IRN.

    Args:
        image: RGB image (H, W, 3), uint8.
        label: Label map (H, W), from 0 to ``num_labels`` - 1.
        num_labels: Number of labels.
        num_iter: Number of mean-field updates.
        certainty: Probability of a pixel's label, in (0, 1).
        gaussian: Standard deviation of position in pixels, and weight.
        bilateral: Standard deviation of position in pixels, of colour in grey levels, and weight.

    Returns:
        Label map (H, W), int64.

    Raises:
        TypeError: If the image is not uint8.
        ValueError: If shapes do not fit, a label or a setting is out of range.
        ImportError: If pydensecrf2 is missing.
    """
    if not 0 < certainty < 1:
        raise ValueError(f'expected a certainty between 0 and 1, received {certainty}')
    if label.size and not 0 <= label.min() <= label.max() < num_labels:
        raise ValueError(
            f'expected labels from 0 to {num_labels - 1}, received {label.min()} to {label.max()}; '
            'ignored pixels need a label of their own'
        )
    if num_labels < 2:
        return label.astype(np.int64)
    others = (1 - certainty) / (num_labels - 1)
    given = np.arange(num_labels)[:, None, None] == label
    probabilities = np.where(given, certainty, others)
    return dense_crf(image, probabilities, num_iter, gaussian, bilateral).argmax(axis=0)


def irn_label(
    image: np.ndarray,
    cams: np.ndarray,
    high: float = 0.35,
    low: float = 0.10,
    ignore_index: int = 255,
    **crf: object,
) -> np.ndarray:
    """Label map for IRN: certain classes, certain background, and the rest ignored.

    The best of the CAMs and a constant background, refined by :func:`label_crf`, once with a high
    and once with a low background. A pixel has its class under the high background; it is
    background where it is so under both, and ignored elsewhere.

    Args:
        image: RGB image (H, W, 3), uint8.
        cams: Normalised CAMs of the present classes, (N, H, W) in [0, 1].
        high: Background score under which much is background.
        low: Background score under which little is background.
        ignore_index: Label of ignored pixels.
        **crf: Settings of :func:`label_crf`.

    Returns:
        Label map (H, W), int64: 0 background, n the n-th of the CAMs from 1.

    Raises:
        ValueError: If ``low`` exceeds ``high`` or the shapes do not fit.
        ImportError: If pydensecrf2 is missing.
    """
    if low > high:
        raise ValueError(
            f'expected low not to exceed high, received low={low} and high={high}; exchange them'
        )
    if cams.ndim != 3 or cams.shape[1:] != image.shape[:2]:
        raise ValueError(
            f'expected CAMs (N, {image.shape[0]}, {image.shape[1]}) as the image has, received '
            f'{cams.shape}; resize them'
        )
    refined = []
    for background in (high, low):
        constant = np.full((1, *cams.shape[1:]), background, dtype=cams.dtype)
        label = np.concatenate((constant, cams)).argmax(axis=0)
        refined.append(label_crf(image, label, 1 + len(cams), **crf))  # type: ignore[arg-type]
    much, little = refined
    return np.where((much == 0) & (little != 0), ignore_index, much)
