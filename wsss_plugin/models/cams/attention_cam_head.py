"""A convolutional head whose CAM is weighted and spread by attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.cams.classifier_context import ClassifierContext
from wsss_plugin.ops.attention import attention_cam


@MODELS.register_module()
class AttentionCAMHead(BaseModule):
    """One convolution whose mean is the logit; its map times attention, spread by attention.

    Logits are ``z_k = mean conv(F)_k``, raw CAMs :func:`wsss_plugin.ops.attention_cam` of the
    convolved map (MCTformer-V2; ClusterCAM, equations 8 and 9). Classification reads the features
    alone, so that no attention between patches is computed for it.

    Args:
        in_channels: Channels of all features that ``reads`` names together.
        num_classes: Number of foreground classes K.
        kernel_size: Side of the convolution: 3 in both published codes, 1 in ClusterCAM's paper.
        bias_in_cam: Whether the CAM has the bias of the logits, as MCTformer's, or has none, as
            ClusterCAM's.
        reads: Names of the features that are convolved, put side by side as channels.
        times: Name of the feature (B, K, h, w) by which the map is multiplied, or None.
        spread: Name of the feature (B, h * w, h * w) by which it is spread, or None.
        multi_scale: What differs from the segmentor's ``multi_scale``.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If ``kernel_size`` is not odd or ``num_classes`` not positive.
    """

    base: str | None = None
    classifies = True
    reads_decoder = False

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        kernel_size: int = 3,
        bias_in_cam: bool = True,
        reads: str | Sequence[str] = 'patch',
        times: str | None = 'class_to_patch.mean',
        spread: str | None = 'patch_to_patch',
        multi_scale: dict[str, Any] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if kernel_size < 1 or kernel_size % 2 == 0 or num_classes < 1:
            raise ValueError(
                'expected an odd kernel_size and at least one foreground class of '
                f'AttentionCAMHead, received {kernel_size} and {num_classes}; ClusterCAM has 3 '
                '(released) or 1 (paper)'
            )
        self.num_classes = num_classes
        self.bias_in_cam = bias_in_cam
        self.logit_reads = (reads,) if isinstance(reads, str) else tuple(reads)
        self.times = times
        self.spread = spread
        attention = tuple(name for name in (times, spread) if name is not None)
        self.reads = tuple(dict.fromkeys((*self.logit_reads, *attention)))
        self.multi_scale = dict(multi_scale or {})
        self.classifier = nn.Conv2d(in_channels, num_classes, kernel_size, padding=kernel_size // 2)

    def raw(
        self,
        features: Mapping[str, Tensor],
        tags: Tensor | None = None,  # noqa: ARG002  (the CAM of every class is the same for all)
        context: ClassifierContext | None = None,  # noqa: ARG002  (reads no other source)
    ) -> Tensor:
        """Raw CAMs.

        Args:
            features: Features by name.
            tags: Unused.
            context: Unused.

        Returns:
            Maps of shape (B, K, h, w), not below zero.
        """
        weight, bias = self.classifier.weight, self.classifier.bias
        maps = F.conv2d(
            self._joined(features),
            weight,
            bias if self.bias_in_cam else None,
            padding=self.classifier.padding,
        )
        times = None if self.times is None else features[self.times]
        spread = None if self.spread is None else features[self.spread]
        return attention_cam(maps, times, spread)

    def logits(self, features: Mapping[str, Tensor]) -> Tensor:
        """Classification logits.

        Args:
            features: The features of ``logit_reads`` by name.

        Returns:
            Logits of shape (B, K).
        """
        return self.classifier(self._joined(features)).mean(dim=(2, 3))

    def _joined(self, features: Mapping[str, Tensor]) -> Tensor:
        maps = [features[name] for name in self.logit_reads]
        return maps[0] if len(maps) == 1 else torch.cat(maps, dim=1)
