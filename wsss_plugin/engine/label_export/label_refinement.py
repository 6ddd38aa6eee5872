"""How the labels of CAMs are refined: as the config says, or otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.engine.label_export.present_batch import PresentBatch
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.crf_labels import label_of_alphas, label_of_cams, label_of_scores
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.evaluation.dense_crf import check_crf_settings, require_pydensecrf

REFINEMENTS = ('none', 'par', 'crf')
# Published: of AffinityNet for scores, of IRN for labels by two backgrounds.
CRF_OF_SCORES = {'num_iter': 10, 'gaussian': (3, 3), 'bilateral': (80, 13, 10)}
CRF_OF_LABELS = {'num_iter': 10, 'gaussian': (3, 3), 'bilateral': (50, 5, 10), 'certainty': 0.7}


class LabelRefinement:
    """Refines what a label maker makes of a CAM.

    A dense CRF refines the scores of a label maker that has ``scores``, such as those of a walk,
    the scores of one that has ``alphas`` with each of them, and otherwise the labels by two
    constant backgrounds, ``low`` and ``high``
    (:func:`wsss_plugin.evaluation.label_crf.irn_label`).

    Args:
        maker: The label maker, changed in place.
        how: 'none', 'par' or 'crf'; None for what its config says.
        settings: Settings of the CRF that differ from the published ones.

    Raises:
        ConfigError: If the label maker cannot be refined so, or a setting is out of range.
        ImportError: If pydensecrf2 is missing.
    """

    def __init__(
        self, maker: Any, how: str | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.how = how
        self.crf = how == 'crf'
        self._maker = maker
        self._of_scores = hasattr(maker, 'scores')
        self._alphas: tuple[float, ...] | None = getattr(maker, 'alphas', None)
        if self.crf:
            of_labels = not self._of_scores and self._alphas is None
            defaults = CRF_OF_LABELS if of_labels else CRF_OF_SCORES
            self.settings = crf_settings(defaults, settings)
        elif settings:
            raise ConfigError(
                f'expected settings of a CRF with --refine crf, received {dict(settings)} without'
            )
        elif how == 'none' and not self._of_scores:
            self._replace(None)
        elif how == 'par' and getattr(maker, 'refine', None) is None:
            self._replace(MODELS.build({'type': 'PAR'}))

    def _replace(self, refine: Any) -> None:
        if not hasattr(self._maker, 'refine'):
            raise ConfigError(
                f'expected a label maker with a refinement, such as PixelLabels, for --refine '
                f'{self.how}, received {type(self._maker).__name__}; leave --refine out, or take '
                'crf'
            )
        self._maker.refine = refine

    @property
    def method(self) -> dict[str, Any]:
        """What differs from the config, for a manifest."""
        said: dict[str, Any] = {} if self.how is None else {'refine': self.how}
        if self.crf:
            said['crf'] = plain_settings(self.settings)
        return said

    def label(self, present: PresentBatch, low: float, high: float | Tensor) -> np.ndarray:
        """The label after the CRF, of an image that may have no class.

        Args:
            present: The image with a CAM of the classes that it has.
            low: Low background threshold, for labels by two backgrounds.
            high: High background threshold.

        Returns:
            Label map (H, W), uint8, at the original size.
        """
        if not len(present.values):
            return np.zeros(present.sample.ori_shape[:2], np.uint8)
        return self.work(present, low, high).do()

    def work(self, present: PresentBatch, low: float, high: float | Tensor) -> CRFWork:
        """The CRF of an image, which needs the network no more.

        Args:
            present: The image with a CAM of the classes that it has, at least one.
            low: Low background threshold, for labels by two backgrounds.
            high: High background threshold.

        Returns:
            Work that gives the label map (H, W), uint8, at the original size.
        """
        path, values = present.sample.img_path, present.values.numpy().astype(np.uint8)
        if self._alphas is not None:
            maps, ignored = present.original().half().numpy(), self._maker.ignore_index
            return CRFWork(
                label_of_alphas, path, (maps, values, self._alphas, ignored, self.settings)
            )
        if not self._of_scores:
            maps = present.original().half().numpy()
            ignored = self._maker.ignore_index
            arguments = (maps, values, float(low), float(high), ignored, self.settings)
            return CRFWork(label_of_cams, path, arguments)
        scores = present.original(self._maker.scores(present, present.cam))
        return CRFWork(
            label_of_scores,
            path,
            (scores.half().numpy(), np.concatenate(([0], values)).astype(np.uint8), self.settings),
        )


def crf_settings(
    defaults: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Settings of a dense CRF.

    Args:
        defaults: Settings by name.
        given: Those that differ.

    Returns:
        All of them.

    Raises:
        ConfigError: If a name is unknown or a value is out of range.
        ImportError: If pydensecrf2 is missing.
    """
    unknown = set(given or {}) - set(defaults)
    if unknown:
        raise ConfigError(
            f'expected settings of the CRF among {list(defaults)}, received {sorted(unknown)}'
        )
    settings = {**defaults, **(given or {})}
    try:
        check_crf_settings(*(settings[name] for name in ('num_iter', 'gaussian', 'bilateral')))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except TypeError as error:
        raise ConfigError(
            f'expected crf settings such as {dict(defaults)}, received {settings} ({error})'
        ) from error
    certainty = settings.get('certainty', 0.5)
    if not 0 < certainty < 1:
        raise ConfigError(f'expected crf certainty between 0 and 1, received {certainty}')
    require_pydensecrf()
    return settings


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON gives them back.

    Args:
        settings: Settings by name.

    Returns:
        The same with lists in place of tuples.

    >>> plain_settings({'gaussian': (3, 3), 'num_iter': 10})
    {'gaussian': [3, 3], 'num_iter': 10}
    """
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()
    }
