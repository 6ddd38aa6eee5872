"""What the decode head has learnt, as a CAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.cams.classifier_context import ClassifierContext
from wsss_plugin.ops.cam import decoder_cam


@MODELS.register_module()
class DecoderCAM(BaseModule):
    """``M_k = sigmoid(z_k - z_0)`` of the decode head's logits, for labels by self-training.

    It gives no gradient: the decode head learns from labels only.

    Args:
        num_classes: Number of foreground classes K.
        multi_scale: What differs from the segmentor's ``multi_scale``.
        init_cfg: MMEngine's initialisation config.
    """

    reads: tuple[str, ...] = ()
    base: str | None = None
    classifies = False
    reads_decoder = True

    def __init__(
        self,
        num_classes: int,
        multi_scale: dict[str, Any] | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes = num_classes
        self.multi_scale = dict(multi_scale or {})

    def raw(
        self,
        features: Mapping[str, Tensor],  # noqa: ARG002  (what the decode head reads, it has read)
        tags: Tensor | None,  # noqa: ARG002  (the CAM of every class is the same for all)
        context: ClassifierContext,
    ) -> Tensor:
        """Raw CAMs.

        Args:
            features: Unused.
            tags: Unused.
            context: The pass, whose decode logits it takes.

        Returns:
            Maps of shape (B, K, h, w) in [0, 1], without gradient.
        """
        return decoder_cam(context.decode_logits.detach())

    def logits(self, features: Mapping[str, Tensor]) -> None:
        """Nothing: the decode head classifies no images.

        Args:
            features: Unused.
        """
