"""Pseudo labels from a segmentation, restricted to the tags of the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch import Tensor

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.errors import ConfigError, DataError


class SegmentationLabels:
    """Labels an image by what a trained segmentor of any kind predicts, every pixel of it.

    Args:
        config: The config; ``test_cfg`` may ask for sliding windows.
        checkpoint: The checkpoint file.
        with_tags: Whether only the background and classes among the tags are chosen from.

    Raises:
        ConfigError: If the segmentor has no decode head.
    """

    thresholds: dict[str, Any] | None = None
    ignore_index = 255

    def __init__(self, config: Config, checkpoint: str, with_tags: bool = True) -> None:
        if predicts(config.model)['segmentation'] != 'decode_head':
            raise ConfigError(
                'expected a segmentor with a decode head for --segmentation, received '
                f'{type_name(config.model)} without; label by --cams'
            )
        self.model, meta = load_trained_model(config, checkpoint)
        self.model.dataset_meta = meta
        self.with_tags = with_tags

    @property
    def num_classes(self) -> int:
        """Number of classes, the background among them."""
        head = getattr(self.model, 'decode_head', None)
        return self.model.num_classes if head is None else head.num_classes

    @property
    def method(self) -> dict[str, Any]:
        """What makes the labels."""
        return {'made_by': 'segmentation', 'restricted_to_tags': self.with_tags}

    @torch.no_grad()
    def __call__(self, item: Mapping[str, Any]) -> Tensor:
        """Labels an image.

        Args:
            item: ``inputs`` and ``data_samples`` of one image.

        Returns:
            Label map (H, W) at the original size.

        Raises:
            ConfigError: If the segmentor gives no score for each class.
            DataError: If the image has no tags.
        """
        (sample,) = self.model.test_step(pseudo_collate([item]))
        if not self.with_tags:
            return sample.pred_sem_seg.data[0]
        if 'gt_tags' not in sample:
            raise DataError(
                f'{sample.get("img_path")}: expected the tags of every image to restrict its label '
                'to, received none; add its annotation, or give --no-tags'
            )
        logits = sample.seg_logits.data
        if len(logits) != self.num_classes:
            raise ConfigError(
                f'expected scores of {self.num_classes} classes to restrict them to the tags, '
                f'received {len(logits)}; set out_channels of the decode head to the number of '
                'classes, or give --no-tags'
            )
        tags = sample.gt_tags.to(logits)
        absent = torch.cat((tags.new_ones(1), tags)) <= 0
        return logits.masked_fill(absent[:, None, None], -torch.inf).argmax(dim=0)
