"""Pseudo labels from CAMs and two thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.label_export.image_cams import ImageCAMs
from wsss_plugin.engine.label_export.label_refinement import LabelRefinement
from wsss_plugin.engine.label_export.stored_cams import StoredCAMs
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.models.cams import DecoderCAM
from wsss_plugin.models.pseudo_labels import AlphaLabels
from wsss_plugin.models.registered_class import registered_class
from wsss_plugin.models.segmentors import WeakSegmentor
from wsss_plugin.models.segmentors.cam_prediction import add_label_prediction

_DECODER = 'decoder'
_FIELD = 'pseudo_label'


def load_segmentor(
    config: Config, checkpoint: str, labels: str | None = None, also: Sequence[str] = ()
) -> tuple[WeakSegmentor, str]:
    """Builds a segmentor that makes pseudo labels and loads its weights.

    Args:
        config: The config.
        checkpoint: The checkpoint file.
        labels: Name of the label maker, None for the only one.
        also: Names of others than those whose labels are of pixels; they count if they are named,
            or if there are no others.

    Returns:
        The segmentor in evaluation mode, whose decode head can stand as a CAM and whose
        ``dataset_meta`` is the checkpoint's, and the name of the label maker.

    Raises:
        TypeError: If the config's segmentor makes no pseudo labels.
        ValueError: If there is no such label maker, or several and none is named.
    """
    makers = tuple(predicts(config.model)['labels']) or tuple(also)
    if not makers:
        raise TypeError(
            'expected a segmentor that makes pseudo labels, such as a WeakSegmentor with '
            f'PixelLabels among its labels, received {type_name(config.model)} without; name '
            'another config'
        )
    if (labels is None and len(makers) > 1) or (
        labels is not None and labels not in {*makers, *also}
    ):
        raise ValueError(f'expected --labels among {list(makers)}, received {labels}')
    return load_cam_segmentor(config, checkpoint), labels or makers[0]


def load_cam_segmentor(config: Config, checkpoint: str) -> WeakSegmentor:
    """Builds a segmentor with CAMs and loads its weights.

    Args:
        config: The config.
        checkpoint: The checkpoint file.

    Returns:
        The segmentor in evaluation mode, whose decode head can stand as a CAM and whose
        ``dataset_meta`` is the checkpoint's.

    Raises:
        TypeError: If the config's segmentor has no CAMs.
    """
    predicted = predicts(config.model)
    if not predicted['cams'] and not predicted['labels']:
        raise TypeError(
            f'expected a segmentor with CAMs, such as a WeakSegmentor, received '
            f'{type_name(config.model)} without; name another config'
        )
    model, meta = load_trained_model(config, checkpoint)
    model.dataset_meta = meta
    if _DECODER not in model.cams and model.decode_head is not None:
        model.cams[_DECODER] = DecoderCAM(model.num_foreground)
    return model


def _of_cells(config: Config) -> tuple[str, ...]:
    """Names of the label makers whose labels are of cells, by scores that a CRF can refine."""
    makers = {name: one for name, one in (config.model.get('labels') or {}).items() if one}
    return tuple(
        name for name in sorted(makers) if issubclass(registered_class(makers[name]), AlphaLabels)
    )


def named_cams(given: Sequence[str], known: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The CAMs to average, by their text on the command line.

    Args:
        given: Texts such as 'final' and 'final+cnn'.
        known: Names of the segmentor's CAMs.

    Returns:
        Names by text.

    Raises:
        ValueError: If a name is unknown.
    """
    chosen = {text: tuple(text.split('+')) for text in given}
    unknown = {name for names in chosen.values() for name in names} - set(known)
    if unknown:
        raise ValueError(f'expected --cams among {list(known)}, received {sorted(unknown)}')
    return chosen


class CAMLabels:
    """Labels an image by a label maker of a trained segmentor.

    Args:
        config: The config, with the high threshold at which the training ends.
        checkpoint: The checkpoint file.
        labels: Name of the label maker, None for the only one.
        cams: Text such as 'final+cnn' for the CAMs to average, None for the maker's own.
        low: Low threshold, None for the config's.
        high: High threshold, None for the config's.
        refine: 'none', 'par' or 'crf'; None for what the maker does, and a CRF of what has walked.
        crf: Settings of the CRF that differ from the published ones.
        window: Side and stride of windows in which the network sees an image; None for the whole.
        stored: CAMs that are there already; None for the network's.

    Raises:
        ConfigError: If the low threshold is above the high one, or what is asked for does not fit
            the label maker.
        TypeError: If the config's segmentor makes no pseudo labels.
        ValueError: If a label maker or CAM is unknown.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        labels: str | None = None,
        cams: str | None = None,
        low: float | None = None,
        high: float | None = None,
        refine: str | None = None,
        crf: Mapping[str, Any] | None = None,
        window: tuple[int, int] | None = None,
        stored: StoredCAMs | None = None,
    ) -> None:
        # A CRF makes labels of pixels of what labels cells.
        also = _of_cells(config) if refine == 'crf' else ()
        self.model, self.labels = load_segmentor(config, checkpoint, labels, also)
        self._maker = self.model.labels[self.labels]
        own = self._maker.needs(None, None)
        known = tuple(self.model.cams)
        self.cams = tuple(own.cams) if cams is None else named_cams([cams], known)[cams]
        self._thresholds = self._maker.thresholds or self.model.thresholds
        self.low = self._thresholds.low if low is None else low
        self.high = self._thresholds.high if high is None else high
        highs = self.high if isinstance(self.high, Sequence) else (self.high,)
        if not all(0 <= self.low <= one <= 1 for one in highs):
            raise ConfigError(
                'expected 0 <= --low <= --high <= 1, received '
                f'low={self.low} and high={self.high}; lower the one or raise the other'
            )
        self._given_high = high
        walks = hasattr(self._maker, 'scores')
        self._refinement = LabelRefinement(self._maker, refine or ('crf' if walks else None), crf)
        if window is not None and own.heads:
            raise ConfigError(
                f'expected a label maker that reads CAMs alone for --window, received '
                f'{self.labels}, whose head sees the whole image; export CAMs by --scores cams '
                '--window, and label by --cams-from'
            )
        self._cams = ImageCAMs(self.model, self.cams, window, stored)

    @property
    def num_classes(self) -> int:
        """Number of classes, the background among them."""
        return self.model.num_classes

    @property
    def ignore_index(self) -> int:
        """Value of a pixel without label."""
        return self._maker.ignore_index

    @property
    def uses_crf(self) -> bool:
        """Whether labels are left as work for a CRF."""
        return self._refinement.crf

    @property
    def method(self) -> dict[str, Any]:
        """What makes the labels."""
        how = {**self._cams.method, **self._refinement.method}
        return {'made_by': 'cams', 'labels': self.labels, **how}

    @property
    def thresholds(self) -> dict[str, Any]:
        """The background thresholds, ``high`` perhaps one for each class."""
        high = list(self.high) if isinstance(self.high, Sequence) else self.high
        return {'low': self.low, 'high': high}

    @torch.no_grad()
    def __call__(self, item: Mapping[str, Any]) -> Tensor | CRFWork:
        """Labels an image.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.

        Returns:
            Label map (H, W) at the original size, or what is left to do for it.

        Raises:
            DataError: If the image has no tags.
        """
        batch = self._cams.batch(item)
        (sample,) = batch.data_samples
        if self._cams.of_network and not self._refinement.crf:
            batch.cams(self.cams)
            label = self._maker.make(batch, self.cams, self.low, self._given_high)
            add_label_prediction([sample], _FIELD, label)
            return sample.get(_FIELD).data[0]
        if not batch.tags.any():
            return torch.zeros(sample.ori_shape[:2], dtype=torch.long)
        high = self._thresholds.high_of(batch.tags)
        high = high if self._given_high is None else self._given_high
        present = self._cams.present(batch)
        if self._refinement.crf:
            return self._refinement.work(present, self.low, high)
        local = self._maker.make(present, self.cams, self.low, high)
        return present.label_map(local, self._maker.ignore_index)

    @torch.no_grad()
    def at_thresholds(
        self, item: Mapping[str, Any], pairs: Sequence[tuple[float, float]]
    ) -> list[Tensor]:
        """Labels an image by several thresholds; the CAM is made once.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.
            pairs: Low and high threshold of each label map.

        Returns:
            Label maps (H, W) at the original size.

        Raises:
            ConfigError: If labels are made by a CRF, in windows or of stored CAMs.
            DataError: If the image has no tags.
        """
        if self._refinement.crf or not self._cams.of_network:
            raise ConfigError(
                'expected labels of the network itself to try thresholds, received those of a '
                'CRF, of windows or of a folder; use tools/score_labels.py'
            )
        batch = self._cams.batch(item)
        (sample,) = batch.data_samples
        batch.cams(self.cams)
        found = []
        for low, high in pairs:
            label = self._maker.make(batch, self.cams, low, high)
            add_label_prediction([sample], _FIELD, label)
            found.append(sample.get(_FIELD).data[0])
        return found
