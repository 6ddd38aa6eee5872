"""Mean-field inference in a fully connected conditional random field."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

_SMALLEST_PROBABILITY = 1e-5


def require_pydensecrf() -> ModuleType:
    """The module ``pydensecrf.densecrf``, imported only where a CRF is asked for.

    Returns:
        The module.

    Raises:
        ImportError: If the package is missing.
    """
    try:
        from pydensecrf import densecrf
    except ImportError as error:
        raise ImportError(
            'expected the package pydensecrf2 for a dense CRF, which cannot be imported '
            f'({error}); run `pip install pydensecrf2`, or leave the CRF off'
        ) from error
    return densecrf


def dense_crf(
    image: np.ndarray,
    probabilities: np.ndarray,
    num_iter: int = 10,
    gaussian: Sequence[float] = (1, 1),
    bilateral: Sequence[float] = (121, 5, 4),
) -> np.ndarray:
    r"""Refines class probabilities so that similar and near pixels agree.

    Mean-field updates :math:`Q \leftarrow \mathrm{softmax}(\log \mathrm{clip}(p, 10^{-5}, 1)
    + \sum_m w_m \tilde K_m Q)` with a Gaussian kernel of position and a bilateral kernel of
    position and colour (Krähenbühl and Koltun, NIPS 2011, equations 2 and 3). The defaults are
    those of ToCo's test script.

    Args:
        image: RGB image (H, W, 3), uint8.
        probabilities: Probabilities (C, H, W) in [0, 1].
        num_iter: Number of mean-field updates.
        gaussian: Standard deviation of position in pixels, and weight.
        bilateral: Standard deviation of position in pixels, of colour in grey levels, and weight.

    Returns:
        Refined probabilities (C, H, W), float32, that sum to 1 over the classes.

    Raises:
        TypeError: If the image is not uint8.
        ValueError: If shapes do not fit or a setting is out of range.
        ImportError: If pydensecrf2 is missing.
    """
    check_crf_settings(num_iter, gaussian, bilateral)
    _check_arrays(image, probabilities)
    densecrf = require_pydensecrf()
    num_classes, height, width = probabilities.shape
    clipped = np.clip(probabilities.astype(np.float32), _SMALLEST_PROBABILITY, 1)
    field = densecrf.DenseCRF2D(width, height, num_classes)
    field.setUnaryEnergy(np.ascontiguousarray(-np.log(clipped).reshape(num_classes, -1)))
    field.addPairwiseGaussian(sxy=gaussian[0], compat=gaussian[1])
    field.addPairwiseBilateral(
        sxy=bilateral[0],
        srgb=bilateral[1],
        rgbim=np.ascontiguousarray(image),
        compat=bilateral[2],
    )
    return np.array(field.inference(num_iter), dtype=np.float32).reshape(probabilities.shape)


def check_crf_settings(
    num_iter: int, gaussian: Sequence[float], bilateral: Sequence[float]
) -> None:
    """Checks the settings of :func:`dense_crf` before any work is done.

    Args:
        num_iter: Number of mean-field updates.
        gaussian: Standard deviation of position, and weight.
        bilateral: Standard deviations of position and colour, and weight.

    Raises:
        ValueError: If a setting is out of range.
    """
    if num_iter < 0:
        raise ValueError(f'expected crf num_iter >= 0, received {num_iter}; 10 is usual')
    for name, values, meaning in (
        ('gaussian', gaussian, '(sxy, weight)'),
        ('bilateral', bilateral, '(sxy, srgb, weight)'),
    ):
        if len(values) != meaning.count(',') + 1 or min(values[:-1]) <= 0 or values[-1] < 0:
            raise ValueError(
                f'expected crf {name}={meaning} with positive standard deviations and a weight '
                f'>= 0, received {tuple(values)}'
            )


def _check_arrays(image: np.ndarray, probabilities: np.ndarray) -> None:
    if image.dtype != np.uint8:
        raise TypeError(f'expected a uint8 RGB image for the CRF, received {image.dtype}')
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'expected an RGB image (H, W, 3) for the CRF, received {image.shape}')
    if probabilities.ndim != 3 or probabilities.shape[1:] != image.shape[:2]:
        raise ValueError(
            f'expected probabilities (C, {image.shape[0]}, {image.shape[1]}) as the image has, '
            f'received {probabilities.shape}; give them at the original size of the image'
        )
