"""Image classification head whose weights give the CAM."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.ops.cam import class_activation_map

_POOLINGS = ('max', 'avg')


@MODELS.register_module()
class CAMHead(BaseModule):
    """Global pooling and a bias-free linear classifier; its weights on the map are the CAM.

    Logits are ``z_k = sum_c w_kc pool(F_c)`` (section 1.5 of the dual-branch paper: average
    pooling for the CNN, max pooling for the transformer), raw CAMs ``M_k = sum_c w_kc F_c``.
    Also serves as ``auxiliary_head`` of any MMSegmentation segmentor whose data samples have
    ``gt_tags``.

    Args:
        in_channels: Channels of the feature map.
        num_classes: Number of foreground classes K.
        pooling: 'max' or 'avg'.
        in_index: Which of the backbone's feature maps is used by :meth:`loss`.
        loss_cls: Config of the classification loss, called with logits and tags.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If ``pooling`` is unknown or ``num_classes`` is not positive.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        pooling: str = 'max',
        in_index: int = -1,
        loss_cls: dict | None = None,
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
        self.classifier = nn.Conv2d(in_channels, num_classes, kernel_size=1, bias=False)
        self.loss_cls = MODELS.build(loss_cls or dict(type='MultiLabelSoftMarginLoss'))

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
        for sample in batch_data_samples:
            if 'gt_tags' not in sample:
                raise KeyError(
                    f'expected gt_tags in the sample of {sample.get("img_path")}, received none; '
                    'use a dataset with tags and PackWSSSInputs in the pipeline'
                )
            if len(sample.gt_tags) != self.num_classes:
                raise ValueError(
                    f'expected {self.num_classes} tags (num_classes of the CAM head), received '
                    f'{len(sample.gt_tags)} for {sample.get("img_path")}; make num_classes equal '
                    "to the number of the dataset's foreground classes"
                )
        return torch.stack([sample.gt_tags for sample in batch_data_samples])

    def _select(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        return features if isinstance(features, Tensor) else features[self.in_index]
