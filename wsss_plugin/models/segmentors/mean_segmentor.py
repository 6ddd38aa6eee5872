"""The mean of what several segmentors predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.model import ModuleDict
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.segmentors.toolbox_segmentor import ToolboxSegmentor


@MODELS.register_module()
class MeanSegmentor(ToolboxSegmentor):
    """Predicts by the mean of its members' probabilities; what two students are deployed as.

    Args:
        members: Configs of segmentors with ``encode_decode`` by name, such as ``EncoderDecoder``.
        data_preprocessor: Config of the data preprocessor of all.
        test_cfg: MMSegmentation's test config; default the whole image at once.
        train_cfg: Unused; it is not trained.
        pretrained: Unused; MMSegmentation's ``init_model`` sets it to None.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If there is no member, or their classes differ.
    """

    def __init__(
        self,
        members: Mapping[str, Any],
        data_preprocessor: dict | None = None,
        test_cfg: dict | None = None,
        train_cfg: dict | None = None,
        pretrained: None = None,  # noqa: ARG002
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.members = ModuleDict({name: MODELS.build(members[name]) for name in sorted(members)})
        classes = {member.num_classes for member in self.members.values()}
        if len(classes) != 1:
            raise ValueError(
                'expected members with the same number of classes in model.members, received '
                f'{sorted(classes)} of {sorted(members)}'
            )
        first = next(iter(self.members.values()))
        self.train_cfg = train_cfg
        self.test_cfg = ConfigDict(dict(mode='whole') | dict(test_cfg or {}))
        self.num_classes = first.num_classes
        self.out_channels = first.out_channels
        self.align_corners = first.align_corners

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The first feature maps of each member.

        Args:
            inputs: Normalised images (B, 3, H, W).

        Returns:
            Feature maps.
        """
        return tuple(member.extract_feat(inputs)[0] for member in self.members.values())

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logarithms of the mean probabilities.

        Args:
            inputs: Normalised images (B, 3, H, W).
            batch_img_metas: Metainfo of each image.

        Returns:
            Logits of shape (B, K + 1, H, W).
        """
        return mean_logits(
            [member.encode_decode(inputs, batch_img_metas) for member in self.members.values()]
        )

    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Segmentation.

        Args:
            inputs: Normalised images (B, 3, H, W).
            data_samples: Samples.

        Returns:
            Samples with ``pred_sem_seg`` and ``seg_logits``.
        """
        return self.segment(inputs, data_samples)

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Refused.

        Args:
            inputs: Unused.
            data_samples: Unused.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            'expected a segmentor that is trained, received MeanSegmentor, which is deployed only; '
            'train DualStudentSegmentor'
        )

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        return mean_logits(
            [member._forward(inputs, data_samples) for member in self.members.values()]
        )


def mean_logits(logits: Sequence[Tensor]) -> Tensor:
    """Logarithms of the mean of probabilities.

    Args:
        logits: Logits of the same shape (B, K + 1, H, W).

    Returns:
        Logits of this shape, whose softmax is the mean.

    >>> both = mean_logits([torch.tensor([[0.0, 0.0]]), torch.tensor([[40.0, 0.0]])])
    >>> both.softmax(dim=1)
    tensor([[0.7500, 0.2500]])
    """
    return torch.stack([one.log_softmax(dim=1) for one in logits]).logsumexp(dim=0)
