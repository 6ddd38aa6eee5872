"""Scores of CAMs, to be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config

from wsss_plugin.datasets.score_folder import ALPHA_SCORES, CAM_SCORES, STRIDE, to_bytes
from wsss_plugin.engine.label_export.cam_labels import load_cam_segmentor, named_cams
from wsss_plugin.engine.label_export.image_cams import ImageCAMs
from wsss_plugin.engine.label_export.label_refinement import (
    CRF_OF_SCORES,
    crf_settings,
    plain_settings,
)
from wsss_plugin.engine.label_export.stored_cams import StoredCAMs
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.crf_labels import scores_of_alphas
from wsss_plugin.evaluation.crf_work import CRFWork


class CAMScores:
    """Gives the CAMs of an image, of the classes that it has, as ``ScoreFolder`` reads them.

    With alphas it gives scores of background and classes after a dense CRF, once for each, with
    AffinityNet's settings.

    Args:
        config: The config.
        checkpoint: The checkpoint file.
        cams: Text such as 'final+cnn' for the CAMs to average; None for those of the only label
            maker, else 'final'.
        alphas: Low and high power of the background's score; None for the CAMs themselves.
        crf: Settings of the CRF that differ from the published ones.
        window: Side and stride of windows in which the network sees an image; None for the whole.
        stored: CAMs that are there already; None for the network's.

    Raises:
        ConfigError: If settings do not fit.
        TypeError: If the config's segmentor has no CAMs.
        ValueError: If a CAM is unknown.
    """

    thresholds: dict[str, Any] | None = None
    ignore_index = 255

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        cams: str | None = None,
        alphas: Sequence[float] | None = None,
        crf: Mapping[str, Any] | None = None,
        window: tuple[int, int] | None = None,
        stored: StoredCAMs | None = None,
    ) -> None:
        if alphas is not None and (len(alphas) != 2 or not 1 <= alphas[0] <= alphas[1]):
            raise ConfigError(
                f'expected two --alphas, 1 <= low <= high, received {list(alphas)}; published are '
                '4 and 32'
            )
        if alphas is None and crf:
            raise ConfigError(
                f'expected settings of a CRF with --scores alphas, received {dict(crf)} without'
            )
        self.alphas = alphas
        self.settings = None if alphas is None else crf_settings(CRF_OF_SCORES, crf)
        self.model = load_cam_segmentor(config, checkpoint)
        if cams is None:
            names = self._usual(predicts(config.model)['labels'])
        else:
            names = named_cams([cams], tuple(self.model.cams))[cams]
        self._cams = ImageCAMs(self.model, names, window, stored)

    def _usual(self, makers: Sequence[str]) -> tuple[str, ...]:
        if len(makers) == 1:
            return tuple(self.model.labels[makers[0]].needs(None, None).cams)
        return ('final',)

    @property
    def kind(self) -> str:
        """What a folder of them holds."""
        return CAM_SCORES if self.alphas is None else ALPHA_SCORES

    @property
    def num_classes(self) -> int:
        """Number of classes, the background among them."""
        return self.model.num_classes

    @property
    def uses_crf(self) -> bool:
        """Whether scores are left as work for a CRF."""
        return self.alphas is not None

    @property
    def method(self) -> dict[str, Any]:
        """What makes the scores."""
        said = {'made_by': self.kind, **self._cams.method}
        if self.alphas is None or self.settings is None:
            return {**said, 'stride': STRIDE}
        return {**said, 'alphas': list(self.alphas), 'crf': plain_settings(self.settings)}

    @torch.no_grad()
    def __call__(self, item: Mapping[str, Any]) -> dict[str, np.ndarray] | CRFWork:
        """The scores of an image.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.

        Returns:
            Arrays by name, or what is left to do for them.

        Raises:
            DataError: If the image has no tags.
        """
        present = self._cams.present(self._cams.batch(item))
        values, cam = present.values.numpy().astype(np.int16), present.original()
        if self.alphas is not None:
            arguments = (cam.half().numpy(), values, self.alphas, self.settings)
            return CRFWork(alpha_arrays, present.sample.img_path, arguments)
        return {'values': values, 'cams': strided(cam).half().numpy()}


def strided(cam: torch.Tensor) -> torch.Tensor:
    """CAMs in cells of ``STRIDE`` pixels.

    Args:
        cam: CAMs (N, H, W).

    Returns:
        Means (N, ceil(H / 4), ceil(W / 4)) over cells.
    """
    if not len(cam):
        return cam[:, ::STRIDE, ::STRIDE]
    height, width = (-(-side // STRIDE) for side in cam.shape[-2:])
    return F.adaptive_avg_pool2d(cam, (height, width))


def alpha_arrays(
    image_path: str,
    cams: np.ndarray,
    values: np.ndarray,
    alphas: Sequence[float],
    settings: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """Scores for two alphas in 8 bits, as a worker makes them.

    Args:
        image_path: The image file.
        cams: Normalised CAMs of the present classes, (N, H, W) in [0, 1].
        values: Their values in a label map, (N,).
        alphas: Low and high power.
        settings: Settings of the CRF.

    Returns:
        ``values``, ``low`` and ``high``.
    """
    low, high = scores_of_alphas(image_path, cams, alphas, settings)
    return {'values': values, 'low': to_bytes(low), 'high': to_bytes(high)}
