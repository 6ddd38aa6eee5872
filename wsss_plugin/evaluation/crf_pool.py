"""Dense CRF in worker processes with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wsss_plugin.evaluation.crf_labels import label_of_scores
from wsss_plugin.evaluation.dense_crf import check_crf_settings, require_pydensecrf
from wsss_plugin.evaluation.worker_pool import WorkerPool

_MOST_CHANNELS = 255  # 255 itself is the ignored label


class CRFPool(WorkerPool):
    """Refines predictions by :func:`dense_crf` beside the main process.

    Args:
        num_workers: Number of processes.
        max_pending: Number of images held at a time, ``2 * num_workers`` if None.
        min_probability: Classes that nowhere exceed it do not enter the CRF. The default is where
            the unary is clipped, so that such a class could not have won.
        num_iter: Number of mean-field updates.
        gaussian: Standard deviation of position in pixels, and weight.
        bilateral: Standard deviation of position in pixels, of colour in grey levels, and weight.

    Raises:
        ValueError: If a setting is out of range.
        ImportError: If pydensecrf2 is missing.
    """

    def __init__(
        self,
        num_workers: int = 2,
        max_pending: int | None = None,
        min_probability: float = 1e-5,
        num_iter: int = 10,
        gaussian: Sequence[float] = (1, 1),
        bilateral: Sequence[float] = (121, 5, 4),
    ) -> None:
        super().__init__(num_workers, max_pending)
        check_crf_settings(num_iter, gaussian, bilateral)
        require_pydensecrf()
        if not 0 <= min_probability < 1:
            raise ValueError(f'expected crf min_probability in [0, 1), received {min_probability}')
        self.min_probability = min_probability
        self.settings: dict = {
            'num_iter': num_iter,
            'gaussian': tuple(gaussian),
            'bilateral': tuple(bilateral),
        }

    def submit(
        self, image_path: str, probabilities: np.ndarray, consume: Callable[[np.ndarray], None]
    ) -> None:
        """Starts the CRF of one image, after waiting for a free place.

        Args:
            image_path: The image file, which a worker reads.
            probabilities: Probabilities (C, H, W) at the size of the image; float16 is enough.
            consume: Called in this process with the label map (H, W), uint8, in the order of
                submission, during a later call of :meth:`submit` or :meth:`drain`.

        Raises:
            ValueError: If the probabilities are no (C, H, W) array, or of more than 255 classes.
            RuntimeError: If the CRF of an earlier image failed; the message names that image.
        """
        if probabilities.ndim != 3:
            raise ValueError(
                f'expected probabilities (C, H, W) for the CRF of {image_path}, received '
                f'{probabilities.shape}'
            )
        if len(probabilities) > _MOST_CHANNELS:
            raise ValueError(
                f'expected probabilities of at most {_MOST_CHANNELS} classes for the CRF of '
                f'{image_path}, whose label map has 8 bits, received {len(probabilities)}; test '
                'without CRF'
            )
        classes = np.flatnonzero(probabilities.max(axis=(1, 2)) > self.min_probability)
        arguments = (probabilities[classes], classes.astype(np.uint8), self.settings)
        self.run(label_of_scores, arguments, image_path, consume)
