"""The dual-branch paper's segmentor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.backbones import TokenFeatures
from wsss_plugin.models.segmentors.loss_term import LossTerm
from wsss_plugin.models.segmentors.token_contrast_segmentor import TokenContrastSegmentor
from wsss_plugin.models.segmentors.training_batch import TrainingBatch
from wsss_plugin.ops.cam import normalize_cam
from wsss_plugin.ops.precision import at_least_float32

_CONSISTENCY_CAMS = ('normalized', 'relu')


@MODELS.register_module()
class DualBranchSegmentor(TokenContrastSegmentor):
    """ToCo beside a CNN whose CAM is kept consistent with the transformer's (equation 1).

    The CNN helps training only: prediction and the deployed model use the transformer and the
    decode head, unless ``test_cfg.class_prior`` asks the CNN which classes an image has.

    Args:
        backbone: Config of ``DualBranchBackbone``.
        cnn_cam_head: Config of the ``CAMHead`` on the CNN's last map.
        loss_consistency: Config of the consistency loss between the CNN's and each of the
            transformer's CAMs, called twice.
        consistency_cam: 'normalized' compares CAMs scaled to [0, 1] per image and class; 'relu'
            compares the positive part of the raw CAMs, as AMR does.
        kwargs: Arguments of ``TokenContrastSegmentor``.

    Raises:
        ValueError: If ``consistency_cam`` is unknown.
        TypeError: If the backbone has no CNN.
    """

    cam_names = ('final', 'aux', 'cnn')

    def __init__(
        self,
        backbone: dict,
        cnn_cam_head: dict,
        loss_consistency: dict,
        consistency_cam: str = 'normalized',
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, **kwargs)
        if consistency_cam not in _CONSISTENCY_CAMS:
            raise ValueError(
                f'expected consistency_cam in {_CONSISTENCY_CAMS}, received {consistency_cam!r}'
            )
        self.cnn_cam_head = MODELS.build(cnn_cam_head)
        self.loss_consistency = MODELS.build(loss_consistency)
        self.consistency_cam = consistency_cam
        self._check_classes(self.cnn_cam_head)

    def _check_backbone(self) -> None:
        if not hasattr(self.backbone, 'forward_cnn'):
            raise TypeError(
                'expected a backbone with forward_cnn, received '
                f'{type(self.backbone).__name__}; use DualBranchBackbone, or '
                'TokenContrastSegmentor for the transformer alone'
            )
        super()._check_backbone()

    @property
    def transformer(self) -> Any:
        """The backbone's transformer branch."""
        return self.backbone.vit

    @property
    def cam_heads(self) -> dict[str, Any]:
        """The CAM heads by the name of their CAM."""
        return dict(super().cam_heads, cnn=self.cnn_cam_head)

    def branch_maps(
        self, image: Tensor, names: Sequence[str], features: TokenFeatures | None = None
    ) -> dict[str, Tensor]:
        """The feature maps that CAM heads read.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which CAM heads; a branch that none of them reads is not run.
            features: The transformer's features of these images, where they are known.

        Returns:
            Maps (B, C, h, w) by the name of the CAM head.
        """
        maps = super().branch_maps(image, names, features)
        if 'cnn' in names:
            maps['cnn'] = self.backbone.forward_cnn(image)
        return maps

    def loss_terms(self) -> dict[str, LossTerm]:
        """The terms of the total loss by group (equation 13).

        Returns:
            Terms by group.
        """
        return dict(super().loss_terms(), consistency=LossTerm(self.consistency_losses))

    def consistency_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Consistency of the CNN's CAM with the transformer's two (equation 1).

        Args:
            batch: The training batch.

        Returns:
            ``loss_consistency_aux`` and ``loss_consistency_final``.
        """
        cnn = self._comparable(batch.raw_cams['cnn'])
        return {
            f'loss_consistency_{name}': self.loss_consistency(
                self._comparable(batch.raw_cams[name]), cnn, batch.tags
            )
            for name in ('aux', 'final')
        }

    def _comparable(self, raw_cam: Tensor) -> Tensor:
        cam = at_least_float32(raw_cam).relu()
        return normalize_cam(cam) if self.consistency_cam == 'normalized' else cam
