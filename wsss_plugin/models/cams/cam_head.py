"""Image classification head whose weights give the CAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.models.cams.classifier_context import ClassifierContext
from wsss_plugin.models.stacked_tags import stacked_tags
from wsss_plugin.ops.cam import class_activation_map

_POOLINGS = ('max', 'avg')


@MODELS.register_module()
class CAMHead(BaseModule):
    """Global pooling and a bias-free linear classifier; its weights on the map are the CAM.

    Logits are ``z_k = sum_c w_kc pool(F_c)`` (section 1.5 of the dual-branch paper: average
    pooling for the CNN, max pooling for the transformer), raw CAMs ``M_k = sum_c w_kc F_c``.
    Also serves as ``auxiliary_head`` of any MMSegmentation segmentor whose data samples have
    ``gt_tags``.

    As a CAM source of a ``WeakSegmentor`` it reads features by name.

    Args:
        in_channels: Channels of the feature map.
        num_classes: Number of foreground classes K.
        pooling: 'max' or 'avg'.
        in_index: Which of the backbone's feature maps is used by :meth:`loss`.
        loss_cls: Config of the classification loss of :meth:`loss`, called with logits and tags;
            in a ``WeakSegmentor`` the ``ClassificationTerm`` has the loss.
        reads: Name of the feature that it reads as a CAM source, or several names, whose maps are
            put side by side as channels.
        multi_scale: What differs from the segmentor's ``multi_scale``.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If ``pooling`` is unknown or ``num_classes`` is not positive.
    """

    base: str | None = None
    classifies = True
    reads_decoder = False

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        pooling: str = 'max',
        in_index: int = -1,
        loss_cls: dict | None = None,
        reads: str | Sequence[str] = 'patch',
        multi_scale: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if pooling not in _POOLINGS:
            raise ValueError(f'expected pooling in {_POOLINGS}, received {pooling!r}')
        if num_classes < 1:
            raise ValueError(f'expected at least one foreground class, received {num_classes}')
        self.num_classes = num_classes
        self.pooling = pooling
        self.in_index = in_index
        self.reads = (reads,) if isinstance(reads, str) else tuple(reads)
        self.multi_scale = dict(multi_scale or {})
        self.classifier = nn.Conv2d(in_channels, num_classes, kernel_size=1, bias=False)
        self.loss_cls = MODELS.build(loss_cls or dict(type='MultiLabelSoftMarginLoss'))

    def raw(
        self,
        features: Mapping[str, Tensor],
        tags: Tensor | None = None,  # noqa: ARG002  (the CAM of every class is the same for all)
        context: ClassifierContext | None = None,  # noqa: ARG002  (reads no other source)
    ) -> Tensor:
        """Raw CAMs, as a CAM source.

        Args:
            features: Features by name, each (B, C, h, w).
            tags: Unused.
            context: Unused.

        Returns:
            Signed maps of shape (B, K, h, w), with gradient.
        """
        return self.cam(self._joined(features))

    def logits(self, features: Mapping[str, Tensor]) -> Tensor:
        """Classification logits, as a CAM source.

        Args:
            features: Features by name, each (B, C, h, w).

        Returns:
            Logits of shape (B, K).
        """
        return self(self._joined(features))

    def _joined(self, features: Mapping[str, Tensor]) -> Tensor:
        maps = [features[name] for name in self.reads]
        return maps[0] if len(maps) == 1 else torch.cat(maps, dim=1)

    def forward(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Classification logits.

        Args:
            features: Feature map (B, C, h, w), or a backbone's tuple of maps.

        Returns:
            Logits of shape (B, K).
        """
        maps = self._select(features)
        if self.pooling == 'avg':
            pooled = maps.mean(dim=(2, 3), keepdim=True)
        else:
            # Adaptive max pooling has no deterministic gradient on a GPU.
            pooled = maps.flatten(2).max(dim=2).values[..., None, None]
        return self.classifier(pooled).flatten(1)

    def cam(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Raw CAMs, with gradient to the features and to the classifier's weight.

        Args:
            features: Feature map (B, C, h, w), or a backbone's tuple of maps.

        Returns:
            Signed maps of shape (B, K, h, w).
        """
        return class_activation_map(self._select(features), self.classifier.weight)

    def loss(
        self,
        inputs: Sequence[Tensor],
        batch_data_samples: list[SegDataSample],
        train_cfg: dict | None = None,  # noqa: ARG002  (part of MMSegmentation's head protocol)
    ) -> dict[str, Tensor]:
        """Classification loss, in the form of MMSegmentation's heads.

        Args:
            inputs: The backbone's feature maps.
            batch_data_samples: Samples with ``gt_tags`` of shape (K,).
            train_cfg: Unused.

        Returns:
            The loss under the name of the loss module.

        Raises:
            KeyError: If a sample has no tags.
            ValueError: If the number of tags is not the number of classes.
        """
        logits = self(inputs)
        loss = self.loss_cls(logits, self.tags(batch_data_samples))
        return {self.loss_cls.loss_name: loss}

    def tags(self, batch_data_samples: list[SegDataSample]) -> Tensor:
        """Stacks the tags of a batch.

        Args:
            batch_data_samples: Samples with ``gt_tags`` of shape (K,).

        Returns:
            Multi-hot tags of shape (B, K).

        Raises:
            KeyError: If a sample has no tags.
            ValueError: If the number of tags is not the number of classes.
        """
        return stacked_tags(batch_data_samples, self.num_classes)

    def _select(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        return features if isinstance(features, Tensor) else features[self.in_index]
