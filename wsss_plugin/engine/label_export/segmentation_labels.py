"""Pseudo labels from a segmentation, restricted to the tags of the image."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.label_export.label_refinement import crf_settings, plain_settings
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.errors import ConfigError, DataError, received
from wsss_plugin.evaluation.crf_labels import label_of_scores
from wsss_plugin.evaluation.crf_work import CRFWork

# What ``CRFPool`` has where nothing is said.
_CRF_OF_TOCO = {'num_iter': 10, 'gaussian': (1, 1), 'bilateral': (121, 5, 4)}
_SMALLEST_PROBABILITY = 1e-5


class SegmentationLabels:
    """Labels an image by what a trained segmentor of any kind predicts, every pixel of it.

    Args:
        config: The config; ``test_cfg`` may ask for sliding windows.
        checkpoint: The checkpoint file.
        with_tags: Whether only the background and classes among the tags are chosen from.
        refine: 'crf' for a dense CRF of the probabilities, 'none' or None.
        crf: Settings of the CRF that differ from the test's, which are ToCo's where it has none.
        augmented: Whether items have several scales and flips, fused as ``tta_model`` says.
        least: Share of the pixels that an image's tags get where none of them is predicted: those
            on which they come nearest to the background, as predicted.

    Raises:
        ConfigError: If the segmentor has no decode head, or a setting is out of range.
        KeyError: If several scales are asked for and the config has no ``tta_model``.
    """

    thresholds: dict[str, Any] | None = None
    ignore_index = 255

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        with_tags: bool = True,
        refine: str | None = None,
        crf: Mapping[str, Any] | None = None,
        augmented: bool = False,
        least: float = 0.0,
    ) -> None:
        if predicts(config.model)['segmentation'] != 'decode_head':
            raise ConfigError(
                'expected a segmentor with a decode head for --segmentation, received '
                f'{type_name(config.model)} without; label by --cams'
            )
        if refine == 'par' or (crf and refine != 'crf'):
            raise ConfigError(
                f'expected --refine crf for a segmentation, with or without settings of the CRF, '
                f'received {refine}'
            )
        if not 0 <= least < 1 or (least and not with_tags):
            raise ConfigError(
                '--least: expected a share of the pixels from 0 to below 1, of labels among the '
                f'tags, received {received(least)}'
                f'{"" if with_tags else " with --no-tags"}; correct it'
            )
        self.least = least
        self.uses_crf = refine == 'crf'
        self.settings = crf_settings(_crf_of_test(config), crf) if self.uses_crf else None
        self.model, meta = load_trained_model(_without_cams(config), checkpoint)
        self.model.dataset_meta = meta
        self.with_tags = with_tags
        self.augmented = augmented
        # The wrapper of several scales knows no number of classes.
        self._predictor = _augmented(config, self.model) if augmented else self.model

    @property
    def num_classes(self) -> int:
        """Number of classes, the background among them."""
        head = getattr(self.model, 'decode_head', None)
        return self.model.num_classes if head is None else head.num_classes

    @property
    def method(self) -> dict[str, Any]:
        """What makes the labels."""
        said: dict[str, Any] = {'made_by': 'segmentation', 'restricted_to_tags': self.with_tags}
        if self.augmented:
            said['tta'] = True
        if self.least:
            said['least'] = self.least
        if self.settings is not None:
            said.update(refine='crf', crf=plain_settings(self.settings))
        return said

    @torch.no_grad()
    def __call__(self, item: Mapping[str, Any]) -> Tensor | CRFWork:
        """Labels an image.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.

        Returns:
            Label map (H, W) at the original size, or what is left to do for it.

        Raises:
            ConfigError: If the segmentor gives no score for each class, or ``tta_model`` leaves
                those of one scale.
            DataError: If the image has no tags.
        """
        (sample,) = self._predictor.test_step(pseudo_collate([item]))
        if not self.with_tags and self.settings is None:
            return sample.pred_sem_seg.data[0]
        logits = self._logits(sample)
        chosen = torch.arange(len(logits))
        if self.with_tags:
            tags = self._tags(sample).to(logits)
            chosen = torch.cat((tags.new_ones(1), tags)).nonzero()[:, 0].cpu()
        label = chosen[logits[chosen].argmax(dim=0).cpu()]
        if self.least and len(chosen) > 1 and not label.any():
            return self._nearest(logits[chosen].cpu(), chosen)
        if self.settings is None:
            return label
        probabilities = logits[chosen].float().softmax(dim=0).cpu()
        seen = probabilities.flatten(1).amax(dim=1) > _SMALLEST_PROBABILITY
        values = chosen[seen].numpy().astype(np.uint8)
        kept = bool(self.least)
        arguments = (probabilities[seen].half().numpy(), values, self.settings, kept)
        return CRFWork(label_of_scores, sample.img_path, arguments)

    @torch.no_grad()
    def probabilities(self, item: Mapping[str, Any]) -> Tensor:
        """Scores of all classes, whatever the tags, before any refinement.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.

        Returns:
            Probabilities (C, H, W) at the original size, on the CPU.

        Raises:
            ConfigError: If the segmentor gives no score for each class, or ``tta_model`` leaves
                those of one scale.
        """
        (sample,) = self._predictor.test_step(pseudo_collate([item]))
        return self._logits(sample).float().softmax(dim=0).cpu()

    def _nearest(self, logits: Tensor, chosen: Tensor) -> Tensor:
        """Labels the pixels whose best tag comes nearest to the background."""
        best, which = logits[1:].max(dim=0)
        lead = (best - logits[0]).flatten()
        pixels = lead.topk(max(1, round(self.least * len(lead)))).indices
        label = torch.zeros_like(which).flatten()
        label[pixels] = chosen[1:][which.flatten()[pixels]]
        return label.view_as(which)

    @staticmethod
    def _tags(sample: SegDataSample) -> Tensor:
        if 'gt_tags' not in sample:
            raise DataError(
                f'{sample.get("img_path")}: expected the tags of every image to restrict its label '
                'to, received none; add its annotation, or give --no-tags'
            )
        return sample.gt_tags

    def _logits(self, sample: SegDataSample) -> Tensor:
        logits = sample.seg_logits.data
        if len(logits) != self.num_classes:
            raise ConfigError(
                f'expected scores of {self.num_classes} classes to restrict or refine them, '
                f'received {len(logits)}; set out_channels of the decode head to the number of '
                'classes, or export labels with --no-tags'
            )
        if self.augmented and not torch.equal(logits.argmax(dim=0), sample.pred_sem_seg.data[0]):
            raise ConfigError(
                'tta_model: expected the fused scores of all scales in seg_logits, received those '
                'of one; take ScaleMaxTTAModel, or leave --tta out'
            )
        return logits


def _without_cams(config: Config) -> Config:
    """The config without what a test adds to a segmentation, which costs most of the time."""
    changed = copy.deepcopy(config)
    changed.model.setdefault('test_cfg', {})
    changed.model.test_cfg.update(cam=False, pseudo_label=False)
    return changed


def _augmented(config: Config, model: Any) -> Any:
    if 'tta_model' not in config:
        raise KeyError(
            'expected tta_model and tta_pipeline in the config for --tta, received none; take them '
            'from configs/_base_/datasets/'
        )
    return MODELS.build({**config.tta_model, 'module': model}).eval()


def _crf_of_test(config: Config) -> dict[str, Any]:
    """Settings of the CRF with which the config's test refines."""
    given = [metric.get('crf') or {} for metric in wsss_metrics(config).values()]
    of_test = given[0] if given else {}
    return {name: of_test.get(name, value) for name, value in _CRF_OF_TOCO.items()}
